"""A mail comes in: kept at once, then judged, once and for ever.

Every mail ends as one of five outcomes. Whatever goes wrong inside one of
them parks that one, with the raw bytes kept, and the next is looked at.
"""

import hashlib
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..core import clock, storage
from ..core.crash import crash_point
from ..core.database import db, transaction
from ..core.errors import HubError
from ..core.mail import receive
from ..core.settings import settings
from . import mail_files, news
from .mail_judging import Verdict, judge
from .mail_tokens import our_addresses
from .models import Attachment
from .models_mail import Door, InboundMail, Outcome

log = structlog.get_logger()

#: A mail that was begun so often and never finished ends the process that reads it.
MOST_ATTEMPTS = 3
LEASE = timedelta(minutes=5)
#: Bytes that are kept at all; what is larger than `largest()` is kept unread.
LIMIT = 200_000_000


@dataclass(frozen=True)
class Report:
    """What became of a mail, as doors tell it."""

    outcome: Outcome
    ticket: int | None  # its number
    message: int | None  # its seq
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome.value,
            "ticket": self.ticket,
            "message": self.message,
            "reason": self.reason,
        }


def largest() -> int:
    """Bytes of a mail that is taken apart: the largest upload, as mail inflates it, and some more."""
    return settings.max_upload_mb * 1_500_000 + 1_000_000


def receive_mail(raw: bytes, door: Door, *, is_whole: bool = True) -> Report:
    """Keep and judge a mail, here and now; one that is not whole is parked. Raises only when nothing can be kept."""
    mail, is_new = keep(raw, door)
    if not is_new and mail.outcome is not Outcome.WAITING:
        return _duplicate_of(mail)
    return handle(mail.id, is_whole=is_whole)


def keep(raw: bytes, door: Door) -> tuple[InboundMail, bool]:
    """Store a mail durably, to be judged; the same bytes are kept once. Opens a transaction of its own."""
    stored = storage.store(io.BytesIO(raw), limit=LIMIT)
    try:
        with transaction() as session:
            known = session.scalar(select(InboundMail).where(InboundMail.sha256 == stored.sha256))
            if known is None:
                mail = add(stored, door)
    except IntegrityError:  # another process was a moment faster
        known = db.session.scalars(select(InboundMail).where(InboundMail.sha256 == stored.sha256)).one()
    return (known, False) if known is not None else (mail, True)


def add(stored: storage.Stored, door: Door) -> InboundMail:
    """A row for a mail that is in the storage, in the open transaction."""
    mail = InboundMail(
        raw_key=stored.key, sha256=stored.sha256, size=stored.size, door=door, received_at=clock.now()
    )
    db.session.add(mail)
    db.session.flush()
    return mail


def waiting_ids(limit: int = 100) -> list[int]:
    """Mails that were kept and not judged: a process ended in between, or left it to the worker."""
    statement = select(InboundMail.id).where(InboundMail.outcome == Outcome.WAITING, _unclaimed())
    return list(db.session.scalars(statement.order_by(InboundMail.id).limit(limit)))


def handle(mail_id: int, *, is_whole: bool = True) -> Report:
    """Judge a kept mail, in transactions of its own. Safe to call twice, and two at once."""
    mail = _claim(mail_id)
    if mail is None:
        mail = db.session.get_one(InboundMail, mail_id, populate_existing=True)
        return _report(mail)
    if mail.attempts > MOST_ATTEMPTS:
        return _park(mail_id, "poison", receive.skim(_raw(mail)))
    if not is_whole:
        return _park(mail_id, "too_large", receive.skim(_raw(mail)))
    crash_point("mail_kept")
    try:
        return _judge(mail)
    except (OperationalError, PoolTimeout, OSError):
        # The database or the disk is away: nothing is wrong with the mail, it is tried again.
        _release(mail_id)
        raise


def _judge(mail: InboundMail) -> Report:
    raw = _raw(mail)
    received = receive.skim(raw)
    if mail.size > largest():
        return _park(mail.id, "too_large", received)
    try:
        received = receive.parse(raw, our_addresses=our_addresses())
        identity = _identity(received, raw)
        if (twin := _twin(mail.id, identity)) is not None:
            return _forget(mail.id, twin)
        files = mail_files.keep(received)
        with transaction() as session:
            row = session.get_one(InboundMail, mail.id)
            place(row, received, files, identity)
        crash_point("mail_judged")
        return _report(row)
    except IntegrityError:
        twin = _twin(mail.id, _identity(received, raw))
        return _forget(mail.id, twin) if twin else _park(mail.id, "conflict", received)
    except (OperationalError, PoolTimeout, OSError):
        raise
    except Exception as error:  # one poison mail never stops the mailbox
        return _park(mail.id, _why(error), received)


def _why(error: Exception) -> str:
    if isinstance(error, receive.Unreadable):
        return str(error)
    if isinstance(error, HubError):
        return type(error).__name__
    log.error("mail parked", exc_info=error)
    return f"broken:{type(error).__name__}"


def place(row: InboundMail, received: receive.Received, files: mail_files.Kept, identity: str) -> None:
    """Judge a mail that could be read, in the open transaction."""
    _describe(row, received)
    row.identity = identity
    db.session.flush()
    _settle(row, judge(row, received, files))


def _claim(mail_id: int) -> InboundMail | None:
    """Take a waiting mail for this process, committed before its first byte is read."""
    claim = update(InboundMail).where(
        InboundMail.id == mail_id, InboundMail.outcome == Outcome.WAITING, _unclaimed()
    )
    taken = {"claimed_at": clock.now(), "attempts": InboundMail.attempts + 1}
    with transaction() as session:
        won = session.scalar(claim.values(taken).returning(InboundMail.id))
    return db.session.get(InboundMail, mail_id, populate_existing=True) if won else None


def _unclaimed() -> Any:
    return or_(InboundMail.claimed_at.is_(None), InboundMail.claimed_at < clock.now() - LEASE)


def _release(mail_id: int) -> None:
    db.session.rollback()
    with transaction() as session:
        row = session.get_one(InboundMail, mail_id)
        row.claimed_at, row.attempts = None, row.attempts - 1


def _raw(mail: InboundMail) -> bytes:
    with storage.open(mail.raw_key) as stream:
        return stream.read()


def _identity(received: receive.Received, raw: bytes) -> str:
    """The same for every copy of a mail: servers add headers, and some programs use one Message-ID for all."""
    facts = [received.message_id, received.sender, received.subject, str(received.sent_at), received.text]
    if not received.message_id and received.sent_at is None:
        return hashlib.sha256(raw).hexdigest()
    facts += [hashlib.sha256(file.content).hexdigest() for file in received.files]
    return hashlib.sha256("\x00".join(facts).encode("utf-8", "replace")).hexdigest()


def _twin(mail_id: int, identity: str) -> InboundMail | None:
    db.session.rollback()
    return db.session.scalar(
        select(InboundMail).where(InboundMail.identity == identity, InboundMail.id != mail_id)
    )


def _describe(row: InboundMail, received: receive.Received) -> None:
    row.message_id, row.sender, row.sender_name = received.message_id, received.sender, received.sender_name
    row.subject, row.sent_at, row.has_html = received.subject, received.sent_at, bool(received.html)


def _settle(row: InboundMail, verdict: Verdict) -> None:
    row.outcome, row.reason, row.claimed_at = verdict.outcome, verdict.reason, None
    row.ticket_id = verdict.ticket.id if verdict.ticket else None
    if verdict.message is not None:
        row.post_id = verdict.message.id
    if verdict.outcome is Outcome.PARKED:
        _tell_team(row)


def _tell_team(row: InboundMail) -> None:
    """A mail waits for a decision: said once an hour at most, for whoever looks sees them all."""
    recent = select(InboundMail.id).where(
        InboundMail.outcome == Outcome.PARKED,
        InboundMail.id != row.id,
        InboundMail.settled_at.is_(None),
        InboundMail.received_at > row.received_at - timedelta(hours=1),
    )
    if db.session.scalar(recent.limit(1)) is None:
        news.mail_parked(row.sender_name or row.sender or "—", row.subject or "—")


def _park(mail_id: int, reason: str, received: receive.Received) -> Report:
    db.session.rollback()
    with transaction() as session:
        row = session.get_one(InboundMail, mail_id)
        _describe(row, received)
        _settle(row, Verdict(Outcome.PARKED, reason))
    return _report(row)


def _forget(mail_id: int, twin: InboundMail) -> Report:
    """The mail is here already, by another way: this copy of it goes."""
    with transaction() as session:
        row = session.get_one(InboundMail, mail_id)
        raw_key = row.raw_key
        session.delete(row)
    if db.session.scalar(select(Attachment.id).where(Attachment.key == raw_key).limit(1)) is None:
        storage.delete(raw_key)
    return _duplicate_of(twin)


def _duplicate_of(mail: InboundMail) -> Report:
    report = _report(mail)
    return Report(Outcome.DUPLICATE, report.ticket, report.message, report.outcome.value)


def _report(mail: InboundMail) -> Report:
    return Report(
        mail.outcome,
        mail.ticket.number if mail.ticket else None,
        mail.post.seq if mail.post else None,
        mail.reason,
    )
