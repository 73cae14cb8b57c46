"""Single mails to people: a row each, written with what caused it, sent by the worker."""

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import JSON, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from .. import clock
from ..crash import crash_point
from ..database import db, transaction
from ..jobs import job, ring
from ..settings import settings
from .backend import Backend, Busy, Later, Misconfigured, NotSent, Unknown, attempt
from .compose import Letter, compose, header, message_id, one_click
from .send import open_backend

log = structlog.get_logger()

#: A claim older than this belongs to a worker that died: no call takes as long.
LEASE = timedelta(minutes=5)
#: For how long a letter that meets closed doors is tried.
PATIENCE = timedelta(hours=72)


class MailState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"  # a worker is handing it over
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # handed over, but nobody answered


class MailMessage(db.Model):
    """One mail to one person. Its texts are forgotten once sent: they may hold one-time links."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=lambda: uuid.uuid4().hex)
    address: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(default="")
    template: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str]
    html: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    state: Mapped[MailState] = mapped_column(default=MailState.PENDING, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    next_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]

    @property
    def message_id(self) -> str:
        """What replies refer to, with its angle brackets."""
        return message_id(self.key)

    def letter(self) -> Letter:
        return Letter(
            self.key,
            self.address,
            self.name,
            self.subject,
            self.html or "",
            self.text or "",
            self.locale,
            self.headers,
        )


def queue(
    to: Any,
    template: str,
    *,
    locale: str | None = None,
    zone: str | None = None,
    headers: dict[str, str] | None = None,
    unsubscribe_url: str | None = None,
    **values: Any,
) -> MailMessage:
    """Write a mail to a user or an address; it leaves after the open transaction has committed.

    `template` is `<room>/mail/<name>` (see `compose`); the language and the zone
    are the user's unless given. Raises UnsafeHeader.
    """
    address = to if isinstance(to, str) else to.email
    locale = locale or getattr(to, "locale", None) or settings.default_locale
    texts = compose(template, locale, zone or getattr(to, "time_zone", None), **values)
    headers = (
        {"Auto-Submitted": "auto-generated"}
        | (headers or {})
        | (one_click(unsubscribe_url) if unsubscribe_url else {})
    )
    letter = Letter(
        key=uuid.uuid4().hex,
        address=address,
        name=getattr(to, "name", ""),
        subject=texts.subject,
        html=texts.html,
        text=texts.text,
        locale=locale,
        headers=headers,
    )
    return queue_letter(letter, template)


def queue_letter(letter: Letter, template: str) -> MailMessage:
    """Send a letter that is already written, once the open transaction has committed. Raises UnsafeHeader."""
    for name, value in letter.all_headers().items():
        header(name, value)  # refuses now, before anything is written
    message = MailMessage(
        key=letter.key,
        address=letter.address,
        name=letter.name,
        template=template,
        locale=letter.locale,
        subject=letter.subject,
        html=letter.html,
        text=letter.text,
        headers=letter.headers,
    )
    db.session.add(message)
    db.session.flush()
    ring("mail.deliver")
    return message


@job("mail.deliver", every="* * * * *")
def deliver() -> None:
    """Send what is due, one after the other; several workers may do so at once."""
    with open_backend() as backend:
        _sweep(backend)
        while not backend.is_resting and (message := _claim()) is not None:
            crash_point("mail_claimed")
            _record(message, _attempt(backend, message))


def _claim() -> MailMessage | None:
    """Take one due message for this worker, committed before anything is sent."""
    due = (MailMessage.state == MailState.PENDING, MailMessage.next_at <= clock.now())
    while True:
        number = db.session.scalar(
            select(MailMessage.id).where(*due).order_by(MailMessage.next_at, MailMessage.id).limit(1)
        )
        if number is None:
            return None
        claim = update(MailMessage).where(MailMessage.id == number, *due).returning(MailMessage.id)
        taken = {"state": MailState.CLAIMED, "claimed_at": clock.now(), "attempts": MailMessage.attempts + 1}
        with transaction() as session:
            won = session.scalar(claim.values(taken))
        if won:
            return db.session.get(MailMessage, number, populate_existing=True)


def _attempt(backend: Backend, message: MailMessage) -> NotSent | None:
    """Hand the message over, outside any transaction; what went wrong, if anything."""
    letter = message.letter()
    db.session.rollback()
    return attempt(lambda: backend.send(letter))


def _record(message: MailMessage, error: NotSent | None) -> None:
    with transaction():
        message = db.session.get(MailMessage, message.id, populate_existing=True)  # type: ignore[assignment]
        message.error = str(error)[:500] if error else None
        if error is None:
            message.state, message.sent_at, message.html, message.text = (
                MailState.SENT,
                clock.now(),
                None,
                None,
            )
        elif isinstance(error, Unknown):
            message.state = MailState.UNCERTAIN
        elif isinstance(error, Later) and clock.now() - message.created_at < PATIENCE:
            message.state, message.next_at = MailState.PENDING, again_at(error, message.attempts)
        else:
            message.state = MailState.FAILED
    if error is not None:
        level = log.error if isinstance(error, Misconfigured) else log.warning
        level("mail not sent", id=message.id, kind=type(error).__name__, error=str(error)[:300])


def backoff(attempts: int) -> timedelta:
    """How long to wait after the n-th attempt: 1, 2, 4, 8 … minutes, at most an hour."""
    return timedelta(minutes=min(2 ** max(attempts - 1, 0), 60))


def again_at(error: NotSent, attempts: int) -> datetime:
    """When to try again after the n-th attempt, not before the server wants to."""
    moment = clock.now() + backoff(attempts)
    return max(moment, error.until) if isinstance(error, Busy) else moment


def _sweep(backend: Backend) -> None:
    """Settle what a dead worker left claimed: try again where that is harmless, otherwise say we do not know."""
    stale = (MailMessage.state == MailState.CLAIMED, MailMessage.claimed_at < clock.now() - LEASE)
    if db.session.scalar(select(MailMessage.id).where(*stale).limit(1)) is None:
        return
    state = MailState.PENDING if backend.repeatable else MailState.UNCERTAIN
    with transaction() as session:
        session.execute(
            update(MailMessage).where(*stale).values(state=state, error="the worker stopped in between")
        )
