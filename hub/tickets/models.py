"""A ticket, its messages, and everything that happened to it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Index, Select, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from ..partners.models import Partner, own_partner_ids

if TYPE_CHECKING:
    from .models_mail import InboundMail

#: The first ticket's number is one above.
FIRST_NUMBER = 1000
#: A moment that does not come: what has no due time sorts behind everything that has one.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Status(StrEnum):
    NEW = "new"  # nobody of the team has answered yet
    OPEN = "open"  # the team's turn
    WAITING = "waiting"  # the partner's turn
    RESOLVED = "resolved"  # a reply opens it again
    CLOSED = "closed"  # settled for a while: a late answer opens a ticket that follows it

    @property
    def is_live(self) -> bool:
        return self in LIVE


LIVE = (Status.NEW, Status.OPEN, Status.WAITING)


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


#: Priorities as numbers, for sorting.
RANKS = {priority: rank for rank, priority in enumerate(Priority)}


class Turn(StrEnum):
    """Where a ticket waits: what the views of the inbox are made of."""

    TEAM = "team"
    PARTNER = "partner"
    LATER = "later"  # put off
    DONE = "done"


class Clock(StrEnum):
    """What the team has promised a time for."""

    FIRST = "first"  # the first answer
    NEXT = "next"  # the next one
    RESOLUTION = "resolution"


class Alarm(StrEnum):
    """What has been said about the due time at hand."""

    NONE = "none"
    SOON = "soon"
    OVERDUE = "overdue"


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
    # Every view, filter and order that the inbox offers reads its page off one of these.
    __table_args__ = (
        *(
            Index(f"ix_ticket_{view}_by_{order}", *columns, *keys, "id")
            for view, columns in (
                ("all", ()),
                ("live", ("is_live",)),
                ("turn", ("turn",)),
                ("assignee", ("assignee_id", "turn")),
            )
            for order, keys in (
                ("moved", ("updated_at",)),
                ("due", ("due_at",)),
                ("rank", ("rank", "updated_at")),
            )
        ),
        Index("ix_ticket_status_by_moved", "status", "updated_at", "id"),
        Index("ix_ticket_category_by_moved", "category", "updated_at", "id"),
        Index("ix_ticket_channel_by_moved", "channel", "updated_at", "id"),
        Index("ix_ticket_partner_by_moved", "partner_id", "updated_at", "id"),
        # A partner's own that are open, and the number on each of their pages.
        Index("ix_ticket_partner_by_turn", "partner_id", "turn", "updated_at", "id"),
        Index("ix_ticket_warn_at", "warn_at"),
        Index("ix_ticket_is_chat", "is_chat", sqlite_where=text("is_chat"), postgresql_where=text("is_chat")),
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
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)  # of the last public message
    first_replied_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)  # a closed one
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))  # the partner's when it was opened
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))  # the amount it questions
    snoozed_until: Mapped[datetime | None] = mapped_column(index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    translation_id: Mapped[int | None] = mapped_column(
        ForeignKey("translation.id")
    )  # the article it is about

    is_chat: Mapped[bool] = mapped_column(default=False)  # somebody waits at the screen for an answer at once

    reopened: Mapped[int] = mapped_column(default=0)  # how often it was opened again after it was solved

    # Kept by this class.
    rank: Mapped[int] = mapped_column(default=RANKS[Priority.NORMAL])
    turn: Mapped[Turn] = mapped_column(default=Turn.TEAM)
    is_live: Mapped[bool] = mapped_column(default=True)

    # Kept by sla.py, which reckons them from what happened.
    due_at: Mapped[datetime] = mapped_column(default=NEVER)
    due_kind: Mapped[Clock | None]
    warn_at: Mapped[datetime] = mapped_column(default=NEVER)
    alarm: Mapped[Alarm] = mapped_column(default=Alarm.NONE)
    first_reply_minutes: Mapped[int | None]  # of working time
    resolution_minutes: Mapped[int | None]

    partner: Mapped[Partner] = relationship()
    requester: Mapped[User] = relationship(foreign_keys=[requester_id])
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])
    follows: Mapped["Ticket | None"] = relationship(remote_side=[id], foreign_keys=[follows_id])

    @property
    def waiting_on(self) -> Side | None:
        """Whose turn it is; None once it is settled."""
        if self.status is Status.WAITING:
            return Side.PARTNER
        return Side.TEAM if self.status.is_live else None

    @property
    def due(self) -> datetime | None:
        """When the team owes the next thing; None while it owes nothing."""
        return None if self.due_at == NEVER else self.due_at

    @property
    def is_overdue(self) -> bool:
        return self.due_at <= clock.now()

    @property
    def settled_at(self) -> datetime | None:
        """When it was resolved, or closed without having been; None while it is live."""
        return self.resolved_at or self.closed_at

    @validates("priority")
    def _rank(self, _key: str, value: Priority) -> Priority:
        self.rank = RANKS[Priority(value)]
        return value

    @validates("status")
    def _place(self, _key: str, value: Status) -> Status:
        self.is_live = Status(value).is_live
        self.turn = TURNS.get(Status(value), Turn.TEAM)
        self.snoozed_until = None  # whatever happens to a ticket wakes it
        return value

    def snooze(self, until: datetime | None) -> None:
        """Put it off until a moment; None wakes it."""
        self.snoozed_until = until
        self.turn = Turn.LATER if until else TURNS.get(self.status, Turn.TEAM)

    def next_seq(self) -> int:
        """Number for the next message. The row must be locked."""
        self.last_seq += 1
        return self.last_seq


#: Where a live ticket waits. A condition that leads to the indexes of turns, as `is_live` does not.
ONGOING = (Turn.TEAM, Turn.PARTNER, Turn.LATER)
TURNS = {Status.WAITING: Turn.PARTNER, Status.RESOLVED: Turn.DONE, Status.CLOSED: Turn.DONE}


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
    moved_to_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))  # it stands in that ticket now
    automatic: Mapped[bool] = mapped_column(
        default=False
    )  # no person wrote it: answers nobody, reopens nothing
    at: Mapped[datetime] = mapped_column(default=clock.now)
    edited_at: Mapped[datetime | None]

    ticket: Mapped[Ticket] = relationship(foreign_keys=[ticket_id])
    moved_to: Mapped[Ticket | None] = relationship(foreign_keys=[moved_to_id])
    author: Mapped[User] = relationship()
    attachments: Mapped[list["Attachment"]] = relationship(back_populates="message")
    if TYPE_CHECKING:
        letter: Mapped[InboundMail | None]  # the mail it came in: that one refers to its message


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
    kind: Mapped[str]  # opened, assigned, status, priority, category, edited
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


class ServiceRules(db.Model):
    """A version of the working hours and promised times. Never changed: a change is a new version.

    `data` is what `sla.Rules` reads.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    effective_from: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    author: Mapped[User | None] = relationship()


class SavedView(db.Model):
    """A list of the inbox with a name: which tickets, in which order; one person's or the team's."""

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    is_shared: Mapped[bool] = mapped_column(default=False, index=True)
    name: Mapped[str]
    asked: Mapped[dict[str, str]] = mapped_column(JSON)  # what the list's address asks for
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


@visibility(SavedView)
def _saved_views(statement: Select[Any], user: Any) -> Select[Any]:
    if not can(user, Permission.TICKETS_WORK):
        return statement.where(false())
    return statement.where((SavedView.owner_id == user.id) | SavedView.is_shared)


class TicketTag(db.Model):
    """A tag of a ticket, for finding by it; `Ticket.tags` is for showing."""

    __table_args__ = (Index("ix_ticket_tag_name_ticket_id", "name", "ticket_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


class Desk(db.Model):
    """How a colleague works: how many tickets at once, when, and whether they are there."""

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    takes_turns: Mapped[bool] = mapped_column(default=False)  # gets new tickets by themselves
    capacity: Mapped[int] = mapped_column(default=20)
    opens: Mapped[int] = mapped_column(default=9 * 60)  # minutes of a working day, in their own time zone
    closes: Mapped[int] = mapped_column(default=18 * 60)
    away_since: Mapped[datetime | None]
    last_given_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class Merge(db.Model):
    """That the messages of one ticket went into another, and what is needed to take it back."""

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    message_ids: Mapped[list[int]] = mapped_column(JSON)
    status: Mapped[Status]  # of the source, before
    brought: Mapped[dict[str, str]] = mapped_column(
        JSON, default=dict, server_default="{}"
    )  # fields: id → value
    at: Mapped[datetime] = mapped_column(default=clock.now)
    undone_at: Mapped[datetime | None]


class Macro(db.Model):
    """A prepared answer with what else is done when it is sent; one person's, or the team's without an owner."""

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str]
    body: Mapped[str]  # with variables in double braces
    actions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # see macros.ACTIONS
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class BulkRun(db.Model):
    """One change made to many tickets at once."""

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    undone_at: Mapped[datetime | None]

    rows: Mapped[list["BulkRow"]] = relationship(back_populates="run", order_by="BulkRow.id", lazy="selectin")


class Outcome(StrEnum):
    DONE = "done"
    SAME = "same"  # it was so already
    REFUSED = "refused"
    UNDONE = "undone"
    MOVED = "moved"  # somebody has changed it since: nothing to take back


class BulkRow(db.Model):
    """What such a change did to one ticket."""

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("bulk_run.id"), index=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    outcome: Mapped[Outcome]
    reason: Mapped[str] = mapped_column(default="")
    before: Mapped[Any] = mapped_column(JSON)
    after: Mapped[Any] = mapped_column(JSON)

    run: Mapped[BulkRun] = relationship(back_populates="rows")
    ticket: Mapped[Ticket] = relationship(lazy="joined", innerjoin=True)


@visibility(Macro)
def _macros(statement: Select[Any], user: Any) -> Select[Any]:
    if not can(user, Permission.TICKETS_WORK):
        return statement.where(false())
    return statement.where((Macro.owner_id == user.id) | Macro.owner_id.is_(None))


@visibility(BulkRun)
def _bulk_runs(statement: Select[Any], user: Any) -> Select[Any]:
    return statement.where(BulkRun.actor_id == user.id)
