"""Answering in public, and noting for the team alone."""

from collections.abc import Sequence

from sqlalchemy import select

from ..accounts.models import User
from ..core.access import Permission, can, roles_with
from ..core.database import db
from . import news
from .assigning import give
from .drafts import forget_draft
from .errors import TicketClosed, UnseenReply
from .history import lock
from .messages import File, append, check, said_before
from .models import Channel, Message, Status, Ticket, Visibility
from .reading import remember_read
from .states import turn


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
    lock(ticket)
    if (said := said_before(author, client_id)) is not None:
        return said
    if ticket.status is Status.CLOSED:
        raise TicketClosed
    check(body, files)
    from_team = can(author, Permission.TICKETS_WORK)
    if from_team and _colleague_answered(ticket, author, seen):
        raise UnseenReply
    if from_team and ticket.assignee_id is None:
        give(ticket, author, author)
    message = append(ticket, author, body, client_id=client_id, channel=channel, files=files)
    if from_team:
        ticket.first_replied_at = ticket.first_replied_at or message.at
        turn(ticket, author, Status.WAITING)
    elif ticket.status is not Status.NEW:
        turn(ticket, author, Status.OPEN)
    remember_read(ticket, author, message.seq)
    forget_draft(ticket, author, Visibility.PUBLIC)
    news.answered(ticket, message, from_team=from_team)
    return message


def note(ticket: Ticket, author: User, body: str, *, client_id: str, files: Sequence[File] = ()) -> Message:
    """Append a note that only the team sees. Changes neither turn nor status."""
    lock(ticket)
    if (said := said_before(author, client_id)) is not None:
        return said
    check(body, files)
    message = append(ticket, author, body, visibility=Visibility.INTERNAL, client_id=client_id, files=files)
    remember_read(ticket, author, message.seq)
    forget_draft(ticket, author, Visibility.INTERNAL)
    news.noted(ticket, message)
    return message


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
