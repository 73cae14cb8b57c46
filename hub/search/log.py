"""What people search for: noted by the worker, so that no search waits for a write; forgotten when it is time."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update

from ..core import clock
from ..core.access import is_staff
from ..core.database import db, touched, transaction
from ..core.fulltext import Answer
from ..core.jobs import ring
from ..core.settings import settings
from ..tickets.models import Ticket
from .models import Answering, LoggedSearch, Wish, plain

NOTE = "search.note"
OPENED = "search.opened"
#: A ticket that comes this soon after a search is what the search did not save.
SOON = timedelta(minutes=30)
MOST = 50


@dataclass(frozen=True)
class Question:
    """One question as the team reads about it: how often, when last, and what became of it."""

    lang: str
    text: str
    times: int
    last_at: datetime
    results: int
    opened: int
    tickets: int
    waiting: int = 0
    answering: Answering | None = None


def note(user: Any, answer: Answer) -> str:
    """Have a search of a reader noted; returns the token by which it says what was opened, or nothing."""
    if is_staff(user) or not answer.is_complete or not answer.asked or not settings.search_log_days:
        return ""
    token = secrets.token_urlsafe(12)
    ring(
        NOTE,
        token=token,
        lang=answer.lang,
        text=plain(answer.asked),
        results=answer.total,
        user_id=getattr(user, "id", None),
        at=clock.now().isoformat(),
    )
    return token


def opened(token: str, key: str) -> None:
    """Have it noted that a result was opened."""
    ring(OPENED, token=token[:40], key=key[:80])


def store(*, at: str, **values: Any) -> None:
    """Keep a search; for the job."""
    with transaction() as session:
        session.add(LoggedSearch(at=datetime.fromisoformat(at), **values))


def store_opened(token: str, key: str) -> None:
    """Keep what was opened first; for the job."""
    with transaction() as session:
        same = LoggedSearch.token == token, LoggedSearch.clicked.is_(None)
        session.execute(update(LoggedSearch).where(*same).values(clicked=key))


def join_tickets() -> None:
    """Note which searches were followed by a ticket of the same person."""
    since = clock.now() - 4 * SOON
    asked = select(Ticket.id, Ticket.requester_id, Ticket.created_at).where(Ticket.created_at >= since)
    for number, user_id, created_at in db.session.execute(asked).all():
        with transaction() as session:
            before = (
                LoggedSearch.user_id == user_id,
                LoggedSearch.ticket_id.is_(None),
                LoggedSearch.at.between(created_at - SOON, created_at),
            )
            session.execute(update(LoggedSearch).where(*before).values(ticket_id=number))


def forget() -> int:
    """Delete what is older than the setting allows, wishes too; how many searches that were.

    Which question an article was begun for is known as long as the question is, or somebody waits for the answer.
    """
    before = clock.now() - timedelta(days=settings.search_log_days)
    with transaction() as session:
        session.execute(delete(Wish).where(Wish.at < before))
        gone = touched(delete(LoggedSearch).where(LoggedSearch.at < before))
        known = [
            exists().where(table.lang == Answering.lang, table.text == Answering.text)
            for table in (LoggedSearch, Wish)
        ]
        session.execute(delete(Answering).where(~or_(*known)).execution_options(synchronize_session=False))
        return gone


def questions(about: str, lang: str = "") -> list[Question]:
    """The most frequent questions: without results (`nothing`), followed by a `ticket`, or all (`most`)."""
    times, tickets = func.count(LoggedSearch.id), func.count(LoggedSearch.ticket_id)
    grouped = (
        select(
            LoggedSearch.lang,
            LoggedSearch.text,
            times.label("times"),
            func.max(LoggedSearch.at).label("last_at"),
            func.max(LoggedSearch.results).label("results"),
            func.count(LoggedSearch.clicked).label("opened"),
            tickets.label("tickets"),
        )
        .group_by(LoggedSearch.lang, LoggedSearch.text)
        .order_by(times.desc(), func.max(LoggedSearch.at).desc())
        .limit(MOST)
    )
    if about == "nothing":
        grouped = grouped.where(LoggedSearch.results == 0)
    elif about == "ticket":
        grouped = grouped.where(LoggedSearch.ticket_id.is_not(None))
    if lang:
        grouped = grouped.where(LoggedSearch.lang == lang)
    rows = db.session.execute(grouped).all()
    return _with_answers(rows)


def _with_answers(rows: Any) -> list[Question]:
    texts = {row.text for row in rows}
    waiting = select(Wish.lang, Wish.text, func.count()).where(Wish.text.in_(texts))
    wishes = {(lang, text): n for lang, text, n in db.session.execute(waiting.group_by(Wish.lang, Wish.text))}
    begun = db.session.scalars(select(Answering).where(Answering.text.in_(texts)))
    answers = {(each.lang, each.text): each for each in begun}
    return [
        Question(
            **row._asdict(),
            waiting=wishes.get((row.lang, row.text), 0),
            answering=answers.get((row.lang, row.text)),
        )
        for row in rows
    ]
