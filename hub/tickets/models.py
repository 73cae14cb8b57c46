"""A ticket, its messages, and everything that happened to it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from ..partners.models import Partner, own_partner_ids

#: The first ticket's number is one above.
FIRST_NUMBER = 1000


class Status(StrEnum):
    NEW = "new"  # nobody of the team has answered yet
    OPEN = "open"  # the team's turn
    WAITING = "waiting"  # the partner's turn
    RESOLVED = "resolved"  # a reply opens it again
    CLOSED = "closed"  # for good

    @property
    def is_live(self) -> bool:
        return self in LIVE


LIVE = (Status.NEW, Status.OPEN, Status.WAITING)


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Category(StrEnum):
    COMMISSION = "commission"
    PAYOUT = "payout"
    LINKS = "links"
    MATERIALS = "materials"
    ACCOUNT = "account"
    OTHER = "other"


class Channel(StrEnum):
    PORTAL = "portal"
    CHAT = "chat"
    MAIL = "mail"
    API = "api"


class Side(StrEnum):
    """Whose turn it is."""

    PARTNER = "partner"
    TEAM = "team"


class Visibility(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"  # never becomes public, by any door


class Ticket(db.Model):
    __table_args__ = (
        Index("ix_ticket_status_updated_at_id", "status", "updated_at", "id"),
        Index("ix_ticket_assignee_id_status_updated_at", "assignee_id", "status", "updated_at"),
        Index("ix_ticket_partner_id_updated_at", "partner_id", "updated_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int | None] = mapped_column(unique=True)  # what people say; set at once
    subject: Mapped[str]
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    requester_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    status: Mapped[Status] = mapped_column(default=Status.NEW)
    priority: Mapped[Priority] = mapped_column(default=Priority.NORMAL)
    category: Mapped[Category] = mapped_column(default=Category.OTHER)
    channel: Mapped[Channel] = mapped_column(default=Channel.PORTAL)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    last_seq: Mapped[int] = mapped_column(default=0)
    preview: Mapped[str] = mapped_column(default="")  # beginning of the last public message
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)  # of the last public message
    first_replied_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    partner: Mapped[Partner] = relationship()
    requester: Mapped[User] = relationship(foreign_keys=[requester_id])
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])

    @property
    def waiting_on(self) -> Side | None:
        """Whose turn it is; None once it is settled."""
        if self.status is Status.WAITING:
            return Side.PARTNER
        return Side.TEAM if self.status.is_live else None

    def next_seq(self) -> int:
        """Number for the next message. The row must be locked."""
        self.last_seq += 1
        return self.last_seq


class Message(db.Model):
    """One message of a ticket. `seq` has no gaps; a repeated `client_id` is a retry."""

    __table_args__ = (UniqueConstraint("ticket_id", "seq"), UniqueConstraint("author_id", "client_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    seq: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    body: Mapped[str]
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.PUBLIC)
    channel: Mapped[Channel] = mapped_column(default=Channel.PORTAL)
    client_id: Mapped[str]
    mail_id: Mapped[str | None] = mapped_column(unique=True)  # Message-ID, of mails
    at: Mapped[datetime] = mapped_column(default=clock.now)

    ticket: Mapped[Ticket] = relationship()
    author: Mapped[User] = relationship()
    attachments: Mapped[list["Attachment"]] = relationship(back_populates="message")


class Attachment(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    key: Mapped[str]  # in the storage
    name: Mapped[str]
    mime: Mapped[str]
    size: Mapped[int]

    message: Mapped[Message] = relationship(back_populates="attachments")

    @property
    def is_image(self) -> bool:
        return self.mime in ("image/png", "image/jpeg", "image/gif", "image/webp")


class TicketEvent(db.Model):
    """What happened besides messages: taken, resolved, moved. Only ever added."""

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    after_seq: Mapped[int]  # the message it came after
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str]  # opened, assigned, status, priority, category
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(default=clock.now)

    actor: Mapped[User | None] = relationship()


class ReadMark(db.Model):
    """How far a person has read a ticket."""

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class Draft(db.Model):
    """What a person has begun to write, kept until it is sent."""

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    visibility: Mapped[Visibility] = mapped_column(primary_key=True)
    body: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)


@visibility(Ticket)
def _tickets(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.TICKETS_WORK):
        return statement
    if can(user, Permission.TICKETS_OPEN):
        return statement.where(Ticket.partner_id.in_(own_partner_ids(user)))
    return statement.where(false())


@visibility(Message)
def _messages(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.TICKETS_WORK):
        return statement
    if not can(user, Permission.TICKETS_OPEN):
        return statement.where(false())
    return statement.where(
        Message.visibility == Visibility.PUBLIC,
        Message.ticket.has(Ticket.partner_id.in_(own_partner_ids(user))),
    )


@visibility(Attachment)
def _attachments(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.TICKETS_WORK):
        return statement
    if not can(user, Permission.TICKETS_OPEN):
        return statement.where(false())
    theirs = Ticket.partner_id.in_(own_partner_ids(user))
    return statement.where(
        Attachment.message.has((Message.visibility == Visibility.PUBLIC) & Message.ticket.has(theirs))
    )
