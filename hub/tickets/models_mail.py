"""Mails that arrive, as they came and what became of them; and the mails that carry messages out."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, backref, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from .models import Message, Ticket


class Door(StrEnum):
    """How a mail came in."""

    COMMAND = "command"
    IMAP = "imap"
    HOOK = "hook"  # posted by the provider that took it


class Outcome(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"  # kept, not looked at yet
    CREATED = "created"
    JOINED = "joined"
    STORED = "stored"  # written by a program: it changes nothing
    PARKED = "parked"  # a person decides
    DUPLICATE = "duplicate"  # never of a row: the mail is here already


class InboundMail(db.Model):
    """A mail as it came: the raw bytes in the storage, and what was made of them."""

    __table_args__ = (
        Index("ix_inbound_mail_outcome_id", "outcome", "id"),
        Index("ix_inbound_mail_sender_received_at", "sender", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    raw_key: Mapped[str]  # in the storage
    sha256: Mapped[str] = mapped_column(unique=True)  # of the raw bytes
    size: Mapped[int]
    door: Mapped[Door]
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    outcome: Mapped[Outcome] = mapped_column(default=Outcome.WAITING)
    reason: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    #: The same mail by another way has the same one, whatever was added on the journey.
    identity: Mapped[str | None] = mapped_column(unique=True)

    message_id: Mapped[str] = mapped_column(default="", index=True)
    sender: Mapped[str] = mapped_column(default="")
    sender_name: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    has_html: Mapped[bool] = mapped_column(default=False)
    rest: Mapped[str] = mapped_column(Text, default="")  # quotation and signature, folded below the message
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # files: {name, size}
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), unique=True)
    settled_at: Mapped[datetime | None]  # when a person decided about a parked one
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    ticket: Mapped[Ticket | None] = relationship()
    post: Mapped[Message | None] = relationship(backref=backref("letter", uselist=False))
    settled_by: Mapped[User | None] = relationship()

    @property
    def waits_for_a_person(self) -> bool:
        return self.outcome is Outcome.PARKED and self.settled_at is None


class CopyState(StrEnum):
    PENDING = "pending"
    SENT = "sent"  # handed to the outgoing mail
    READ = "read"  # seen in the hub before it left
    DECLINED = "declined"  # the person wants no mail, or has left
    REFUSED = "refused"  # no mail to this person can be written


class MailCopy(db.Model):
    """One message for one recipient by mail: sent once, unless it is read before it is due."""

    __table_args__ = (
        UniqueConstraint("message_id", "user_id"),
        Index("ix_mail_copy_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    state: Mapped[CopyState] = mapped_column(default=CopyState.PENDING)
    due_at: Mapped[datetime]
    mail_key: Mapped[str | None] = mapped_column(index=True)  # of the mail it left in

    ticket: Mapped[Ticket] = relationship()
    message: Mapped[Message] = relationship()
    user: Mapped[User] = relationship()


@visibility(InboundMail)
def _mails(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.TICKETS_WORK) else statement.where(false())
