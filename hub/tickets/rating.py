"""Asking how the help was, once a solution, and taking the answer."""

import base64
import hashlib
import hmac
import re
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import clock, mail
from ..core.database import db
from ..core.links import absolute
from ..core.settings import settings
from ..notifications.digest import wants_mail
from . import mail_out, news
from .errors import AlreadyRated, NotToBeRated
from .history import happened, lock
from .mail_tokens import Token, inbox, reply_address
from .models import Ticket
from .models_rating import Rating
from .scores import SCORES

#: What is reopened at once was not solved: so long the mail waits.
PATIENCE = timedelta(hours=1)
#: After this nobody remembers.
OPEN = timedelta(days=30)
LONGEST = 2000
_TOKEN = re.compile(r"(\d{1,10})\.([a-z2-7]{16})")


def ask(ticket: Ticket) -> None:
    """A ticket has been resolved: ask about it, unless nobody of the team has ever answered."""
    if ticket.first_replied_at is None:
        return
    last = latest(ticket)
    if last is None or last.rated_at is not None:
        last = Rating(ticket_id=ticket.id, version=last.version + 1 if last else 1)
        db.session.add(last)
    last.agent_id, last.asked_at = ticket.assignee_id, clock.now()
    last.mail_due_at = None if last.mailed_at else clock.now() + PATIENCE


def latest(ticket: Ticket) -> Rating | None:
    """The rating of the last solution, given or not."""
    found = select(Rating).where(Rating.ticket_id == ticket.id).order_by(Rating.version.desc()).limit(1)
    return db.session.scalar(found.options(joinedload(Rating.rater)))


def is_open(rating: Rating, ticket: Ticket) -> bool:
    """May it be given now?"""
    fresh = clock.now() - rating.asked_at < OPEN
    return rating.rated_at is None and fresh and not ticket.is_live and ticket.merged_into_id is None


def rate(rating: Rating, rater: User, score: int, comment: str = "") -> None:
    """Keep what `rater` thinks. Raises AlreadyRated; NotToBeRated while the ticket is open, or after a month."""
    ticket = rating.ticket
    lock(ticket)
    db.session.refresh(rating)
    if rating.rated_at is not None:
        raise AlreadyRated
    if score not in SCORES or not is_open(rating, ticket):
        raise NotToBeRated
    rating.score, rating.comment = score, comment.strip()[:LONGEST]
    rating.rater_id, rating.rated_at, rating.mail_due_at = rater.id, clock.now(), None
    happened(ticket, rater, "rated", score=score, version=rating.version)
    news.rated(ticket, rater)


# --- By mail -----------------------------------------------------------------------


def waiting(limit: int = 200) -> list[int]:
    """Ids of ratings to ask for by mail now."""
    due = select(Rating.id).where(Rating.mail_due_at <= clock.now()).order_by(Rating.mail_due_at)
    return list(db.session.scalars(due.limit(limit)))


def send(rating_id: int) -> None:
    """Write the mail, in the open transaction; nothing when it is no longer wanted."""
    rating = claim(rating_id)
    if rating is None:
        return
    ticket, user = rating.ticket, rating.ticket.requester
    if not (is_open(rating, ticket) and mail_out.may_see(user, ticket) and wants_mail(user)):
        return
    rating.mailed_at = clock.now()
    url = absolute("tickets.rating", token=token(rating))
    mail.queue(
        user,
        "tickets/mail/rating",
        headers={
            "Reply-To": reply_address(Token(ticket.id, user.id, ticket.last_seq)),
            "X-Auto-Response-Suppress": "OOF, AutoReply",
            "X-Loop": inbox(),
        },
        ticket=ticket,
        scores=[(f"{url}?score={score}", name) for score, name in SCORES.items()],
    )


def claim(rating_id: int) -> Rating | None:
    """The rating, taken off the list of those to be mailed; None when another has taken it."""
    due = select(Rating).where(Rating.id == rating_id, Rating.mail_due_at <= clock.now())
    rating = db.session.scalar(due.with_for_update())
    if rating is not None:
        rating.mail_due_at = None
    return rating


def token(rating: Rating) -> str:
    """What the link of a mail carries: only we can make it."""
    return f"{rating.id}.{_signature(rating.id)}"


def read(text: str) -> Rating | None:
    """The rating that a link stands for; None when it is not ours."""
    found = _TOKEN.fullmatch(text)
    if found is None or not hmac.compare_digest(found[2], _signature(int(found[1]))):
        return None
    return db.session.get(Rating, int(found[1]))


def _signature(rating_id: int) -> str:
    digest = hmac.digest(settings.secret_key.encode(), f"ticket-rating:{rating_id}".encode(), hashlib.sha256)
    return base64.b32encode(digest[:10]).decode().lower()
