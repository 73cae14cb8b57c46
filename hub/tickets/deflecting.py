"""Articles that answer a question before it becomes a ticket, and whether they really did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, func, select, update

from ..accounts.models import User
from ..core import clock, fulltext
from ..core.database import db, touched
from ..core.fulltext import Answer
from ..core.i18n import locale
from ..kb.indexing import KIND
from ..kb.models import Translation
from .models import Ticket
from .models_deflection import Deflection, Proof

#: A ticket that comes this soon was not saved.
PATIENCE = timedelta(days=7)
SHORTEST = 4
MOST = 3


@dataclass(frozen=True)
class Tally:
    """What became of what was said of one article, or of all of them."""

    held: int
    asked: int
    waiting: int
    article: Translation | None = None


def fitting(user: Any, subject: str) -> Answer:
    """Articles that may answer what somebody is about to ask, of those they may read."""
    lang, subject = locale(), subject.strip()
    if len(subject) < SHORTEST:
        return Answer(subject, subject, lang)
    return fulltext.find(user, lang, subject, kinds=[KIND], limit=MOST, typing=True)


def claim(user: User, article: Translation) -> Deflection:
    """`user` says that an article solved it; saying so again changes nothing while the first is open."""
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    said = select(Deflection).where(
        Deflection.user_id == user.id,
        Deflection.translation_id == article.id,
        Deflection.proof == Proof.WAITING,
    )
    found = db.session.scalar(said)
    if found is None:
        now = clock.now()
        found = Deflection(user_id=user.id, translation_id=article.id, at=now, until=now + PATIENCE)
        db.session.add(found)
        db.session.flush()
    return found


def settle() -> int:
    """Decide what can be decided, and forget who it was; how many that were."""
    came = exists().where(
        Ticket.requester_id == Deflection.user_id,
        Ticket.created_at.between(Deflection.at, Deflection.until),
    )
    waiting = update(Deflection).where(Deflection.proof == Proof.WAITING)
    options = {"synchronize_session": False}
    asked = waiting.where(came).values(proof=Proof.ASKED, user_id=None)
    held = waiting.where(Deflection.until < clock.now()).values(proof=Proof.HELD, user_id=None)
    return sum(touched(each.execution_options(**options)) for each in (asked, held))


def tally(since: datetime) -> Tally:
    """All articles together."""
    return Tally(*db.session.execute(select(*_counts()).where(Deflection.at >= since)).one())


def tallies(since: datetime, limit: int = 50) -> list[Tally]:
    """Article by article, those first that saved the most."""
    counts = _counts()
    rows = (
        select(Deflection.translation_id, *counts)
        .where(Deflection.at >= since)
        .group_by(Deflection.translation_id)
        .order_by(*(count.desc() for count in counts), Deflection.translation_id)
        .limit(limit)
    )
    found = db.session.execute(rows).all()
    ids = [row[0] for row in found]
    texts = {each.id: each for each in db.session.scalars(select(Translation).where(Translation.id.in_(ids)))}
    return [Tally(held, asked, waiting, texts[id]) for id, held, asked, waiting in found]


def _counts() -> list[Any]:
    """How many held, failed, are open."""
    return [
        func.coalesce(func.sum(case((Deflection.proof == proof, 1), else_=0)), 0)
        for proof in (Proof.HELD, Proof.ASKED, Proof.WAITING)
    ]
