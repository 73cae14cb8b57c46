"""What can be done with a ticket, the same at every door."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, roles_with, visible
from ..core.database import db
from ..core.errors import Forbidden
from ..core.live import announce
from ..core.storage import Stored
from ..notifications.service import mark_read_at
from ..partners.service import partner_of
from . import news
from .errors import EmptyMessage, MessageTooLong, NoPartner, NotOnTheTeam, TicketClosed, UnseenReply
from .models import (
    FIRST_NUMBER,
    LIVE,
    Attachment,
    Category,
    Channel,
    Draft,
    Message,
    Priority,
    ReadMark,
    Status,
    Ticket,
    TicketEvent,
    Visibility,
)

MAX_BODY = 100_000
PREVIEW = 140
#: Most messages that one page or one catching-up brings.
PAGE = 200


class File:
    """A stored file that is to hang on a message."""

    def __init__(self, stored: Stored, name: str, mime: str) -> None:
        self.stored, self.name, self.mime = stored, name, mime


def open_ticket(
    requester: User,
    subject: str,
    body: str,
    *,
    client_id: str,
    category: Category = Category.OTHER,
    channel: Channel = Channel.PORTAL,
    files: Sequence[File] = (),
) -> Ticket:
    """Open a ticket for the requester's partner organisation.

    Repeating a `client_id` returns the ticket already opened.
    Raises NoPartner, EmptyMessage, MessageTooLong.
    """
    partner = partner_of(requester)
    if partner is None:
        raise NoPartner
    # A double click must find the ticket of the first one.
    db.session.execute(select(User.id).where(User.id == requester.id).with_for_update())
    if (said := _said(requester, client_id)) is not None:
        return said.ticket
    _check(body, files)
    ticket = Ticket(
        subject=" ".join(subject.split())[:200],
        partner_id=partner.id,
        requester_id=requester.id,
        category=category,
        channel=channel,
    )
    db.session.add(ticket)
    db.session.flush()
    ticket.number = FIRST_NUMBER + ticket.id
    _happened(ticket, requester, "opened")
    message = _append(ticket, requester, body, client_id=client_id, channel=channel, files=files)
    _mark_read(ticket, requester, message.seq)
    news.arrived(ticket, message)
    return ticket


def reply(
    ticket: Ticket,
    author: User,
    body: str,
    *,
    seen: int,
    client_id: str,
    channel: Channel = Channel.PORTAL,
    files: Sequence[File] = (),
) -> Message:
    """Append a public message and pass the turn to the other side.

    `seen` is the last `seq` the author had before their eyes.
    Repeating a `client_id` returns the message already stored.
    Raises UnseenReply if a colleague answered past `seen`; TicketClosed if it is closed;
    EmptyMessage, MessageTooLong.
    """
    _lock(ticket)
    if (said := _said(author, client_id)) is not None:
        return said
    if ticket.status is Status.CLOSED:
        raise TicketClosed
    _check(body, files)
    from_team = can(author, Permission.TICKETS_WORK)
    if from_team and _colleague_answered(ticket, author, seen):
        raise UnseenReply
    if from_team and ticket.assignee_id is None:
        _assign(ticket, author, author)
    message = _append(ticket, author, body, client_id=client_id, channel=channel, files=files)
    if from_team:
        ticket.first_replied_at = ticket.first_replied_at or message.at
        _turn(ticket, author, Status.WAITING)
    elif ticket.status is not Status.NEW:
        _turn(ticket, author, Status.OPEN)
    _mark_read(ticket, author, message.seq)
    forget_draft(ticket, author, Visibility.PUBLIC)
    news.answered(ticket, message, from_team=from_team)
    return message


def note(ticket: Ticket, author: User, body: str, *, client_id: str, files: Sequence[File] = ()) -> Message:
    """Append a note that only the team sees. Changes neither turn nor status."""
    _lock(ticket)
    if (said := _said(author, client_id)) is not None:
        return said
    _check(body, files)
    message = _append(ticket, author, body, visibility=Visibility.INTERNAL, client_id=client_id, files=files)
    _mark_read(ticket, author, message.seq)
    forget_draft(ticket, author, Visibility.INTERNAL)
    news.noted(ticket, message)
    return message


def assign(ticket: Ticket, actor: User, assignee: User | None) -> None:
    """Give the ticket to a colleague, or back to the team with None. Raises NotOnTheTeam."""
    if assignee is not None and not (can(assignee, Permission.TICKETS_WORK) and assignee.is_active):
        raise NotOnTheTeam
    _lock(ticket)
    if ticket.assignee_id != (assignee.id if assignee else None):
        _assign(ticket, actor, assignee)
        news.assigned(ticket, actor)


def set_status(ticket: Ticket, actor: User, status: Status) -> None:
    """Move the ticket to another state; the partner may only resolve or reopen.

    Raises Forbidden, or TicketClosed if a partner would reopen a closed one.
    """
    _lock(ticket)
    if not can(actor, Permission.TICKETS_WORK):
        if status not in (Status.RESOLVED, Status.OPEN):
            raise Forbidden
        if ticket.status is Status.CLOSED:
            raise TicketClosed
    _turn(ticket, actor, status)
    news.changed(ticket)


def classify(ticket: Ticket, actor: User, *, priority: Priority, category: Category) -> None:
    """Set priority and category; each change is an event."""
    _lock(ticket)
    if ticket.priority is not priority:
        _happened(ticket, actor, "priority", before=ticket.priority, after=priority)
        ticket.priority = priority
    if ticket.category is not category:
        _happened(ticket, actor, "category", before=ticket.category, after=category)
        ticket.category = category
    news.changed(ticket)


# --- Reading ---------------------------------------------------------------


def thread(ticket: Ticket, viewer: User, *, after: int = 0, limit: int = PAGE) -> list[Message]:
    """Messages of `ticket` past `after` that `viewer` may see, in order, at most `limit`."""
    return list(
        db.session.scalars(
            visible(select(Message), viewer)
            .where(Message.ticket_id == ticket.id, Message.seq > after)
            .options(joinedload(Message.author), selectinload(Message.attachments))
            .order_by(Message.seq)
            .limit(limit)
        )
    )


def mark_read(ticket: Ticket, reader: User, seq: int) -> None:
    """Remember that `reader` has seen everything up to `seq`, and tell the others."""
    works = can(reader, Permission.TICKETS_WORK)
    mark_read_at(reader, f"/inbox/{ticket.number}" if works else f"/tickets/{ticket.number}")
    if _mark_read(ticket, reader, min(seq, ticket.last_seq)):
        payload = {"ticket": ticket.number, "seq": min(seq, ticket.last_seq), "user": reader.id}
        announce(f"ticket:{ticket.id}", "read", payload)


def seen_by_other_side(ticket: Ticket, viewer: User) -> int:
    """The last `seq` that anybody of the other side has read."""
    team = roles_with(Permission.TICKETS_WORK)
    other = User.role.not_in(team) if can(viewer, Permission.TICKETS_WORK) else User.role.in_(team)
    return (
        db.session.scalar(
            select(func.max(ReadMark.seq))
            .join(User, User.id == ReadMark.user_id)
            .where(ReadMark.ticket_id == ticket.id, other)
        )
        or 0
    )


def save_draft(ticket: Ticket, author: User, visibility: Visibility, body: str) -> None:
    """Keep what `author` has begun to write; an empty text forgets it. Raises MessageTooLong."""
    if len(body) > MAX_BODY:
        raise MessageTooLong
    if not body.strip():
        forget_draft(ticket, author, visibility)
        return
    key = {"ticket_id": ticket.id, "user_id": author.id, "visibility": visibility}
    draft = db.session.get(Draft, key)
    if draft is None:
        db.session.add(Draft(**key, body=body))
    else:
        draft.body, draft.updated_at = body, clock.now()


def forget_draft(ticket: Ticket, author: User, visibility: Visibility) -> None:
    draft = db.session.get(Draft, {"ticket_id": ticket.id, "user_id": author.id, "visibility": visibility})
    if draft is not None:
        db.session.delete(draft)


def drafts(ticket: Ticket, author: User) -> dict[Visibility, Draft]:
    found = db.session.scalars(select(Draft).where(Draft.ticket_id == ticket.id, Draft.user_id == author.id))
    return {draft.visibility: draft for draft in found}


def team() -> list[User]:
    """Everyone who may be given a ticket."""
    statement = select(User).where(
        User.role.in_(roles_with(Permission.TICKETS_WORK)), User.disabled_at.is_(None)
    )
    return list(db.session.scalars(statement.order_by(User.name)))


def waiting_for(user: User) -> list[Ticket]:
    """The user's own live tickets that wait for their answer, newest first, at most five."""
    return list(
        db.session.scalars(
            visible(select(Ticket), user)
            .where(Ticket.status == Status.WAITING)
            .order_by(Ticket.updated_at.desc())
            .limit(5)
        )
    )


def others_of(ticket: Ticket) -> list[Ticket]:
    """The partner's five latest tickets besides this one."""
    statement = select(Ticket).where(Ticket.partner_id == ticket.partner_id, Ticket.id != ticket.id)
    return list(db.session.scalars(statement.order_by(Ticket.updated_at.desc()).limit(5)))


def events(ticket: Ticket) -> list[TicketEvent]:
    statement = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    return list(db.session.scalars(statement.options(joinedload(TicketEvent.actor))))


# --- Inside ----------------------------------------------------------------


def _lock(ticket: Ticket) -> None:
    # Two writers would otherwise take the same `seq`.
    db.session.refresh(ticket, with_for_update={"of": Ticket})


def _said(author: User, client_id: str) -> Message | None:
    return db.session.scalar(
        select(Message).where(Message.author_id == author.id, Message.client_id == client_id)
    )


def _check(body: str, files: Sequence[File]) -> None:
    if not body.strip() and not files:
        raise EmptyMessage
    if len(body) > MAX_BODY:
        raise MessageTooLong


def _colleague_answered(ticket: Ticket, author: User, seen: int) -> bool:
    past = (
        select(Message.id)
        .join(User, User.id == Message.author_id)
        .where(
            Message.ticket_id == ticket.id,
            Message.seq > seen,
            Message.visibility == Visibility.PUBLIC,
            Message.author_id != author.id,
            User.role.in_(roles_with(Permission.TICKETS_WORK)),
        )
    )
    return db.session.scalar(past.limit(1)) is not None


def _append(
    ticket: Ticket,
    author: User,
    body: str,
    *,
    client_id: str,
    files: Sequence[File],
    visibility: Visibility = Visibility.PUBLIC,
    channel: Channel = Channel.PORTAL,
) -> Message:
    message = Message(
        ticket_id=ticket.id,
        seq=ticket.next_seq(),
        author_id=author.id,
        body=body.strip(),
        visibility=visibility,
        channel=channel,
        client_id=client_id,
        at=clock.now(),
    )
    message.attachments = [
        Attachment(key=file.stored.key, name=file.name, mime=file.mime, size=file.stored.size)
        for file in files
    ]
    db.session.add(message)
    if visibility is Visibility.PUBLIC:
        ticket.updated_at = message.at
        ticket.preview = shorten(message.body, PREVIEW, placeholder="…")
    db.session.flush()
    return message


def _assign(ticket: Ticket, actor: User, assignee: User | None) -> None:
    _happened(ticket, actor, "assigned", to=assignee.name if assignee else None)
    ticket.assignee_id = assignee.id if assignee else None


def _turn(ticket: Ticket, actor: User, status: Status) -> None:
    if ticket.status is status:
        return
    # Whose turn it is shows in the thread anyway; only ends and reopenings are told as events.
    if not (status in LIVE and ticket.status in LIVE):
        _happened(ticket, actor, "status", before=ticket.status, after=status)
    ticket.status = status
    ticket.resolved_at = clock.now() if status is Status.RESOLVED else None
    ticket.closed_at = clock.now() if status is Status.CLOSED else None


def _happened(ticket: Ticket, actor: User, kind: str, **data: Any) -> None:
    db.session.add(
        TicketEvent(ticket_id=ticket.id, after_seq=ticket.last_seq, actor_id=actor.id, kind=kind, data=data)
    )


def _mark_read(ticket: Ticket, reader: User, seq: int) -> bool:
    mark = db.session.get(ReadMark, {"ticket_id": ticket.id, "user_id": reader.id})
    if mark is None:
        db.session.add(ReadMark(ticket_id=ticket.id, user_id=reader.id, seq=seq))
        return True
    if mark.seq >= seq:
        return False
    mark.seq, mark.at = seq, clock.now()
    return True
