"""Answering in public, and noting for the team alone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select

from ..accounts.models import User
from ..core.access import Permission, can
from ..core.crash import crash_point
from ..core.database import db, update_now
from . import indexing, news, promises
from .assigning import give
from .drafts import forget_draft
from .errors import TicketClosed, UnseenReply
from .history import happened, lock
from .macros import act, check_filled
from .messages import File, append, check, pace, said_here
from .models import Channel, Macro, Message, Status, Ticket, Visibility
from .opening import begin
from .reading import remember_read
from .states import is_over, turn


def reply(
    ticket: Ticket,
    author: User,
    body: str,
    *,
    seen: int,
    client_id: str,
    channel: Channel = Channel.PORTAL,
    files: Sequence[File] = (),
    macro: Macro | None = None,
) -> Message:
    """Append a public message and pass the turn to the other side.

    A partner's answer opens again what is settled; one that comes too late for that becomes the first
    message of a ticket that follows: the message says which ticket it is in.
    `seen` is the last `seq` the author had before their eyes.
    Repeating a `client_id` returns the message already stored.
    Raises UnseenReply if the thread moved past what an author of the team has seen; TicketClosed if
    one of them answers in a closed ticket; EmptyMessage, MessageTooLong; TooManyMessages
    from a partner; ClientIdTaken; UnfilledVariable.
    """
    ticket = _where_it_goes_on(ticket)
    if (said := said_here(ticket, author, client_id)) is not None:
        return said
    check(body, files)
    words: dict[str, Any] = {"client_id": client_id, "channel": channel, "files": files}
    if can(author, Permission.TICKETS_WORK):
        check_filled(body)
    elif is_over(ticket):
        return _follow_up(ticket, author, body, **words)
    # What is asked for is there already: the ticket's own row is written once, at the end.
    with db.session.no_autoflush:
        message = _say(ticket, author, body, seen, **words)
        remember_read(ticket, author, message.seq)
        forget_draft(ticket, author, Visibility.PUBLIC)
        promises.follow(ticket)
        crash_point("message_written")
        news.answered(ticket, message, from_team=can(author, Permission.TICKETS_WORK))
        update_now(ticket)
        indexing.stale(ticket)
    if macro is not None and can(author, Permission.TICKETS_WORK):
        act(macro, ticket, author)
    return message


def _say(ticket: Ticket, author: User, body: str, seen: int, **words: Any) -> Message:
    """Append the message and pass the turn."""
    if can(author, Permission.TICKETS_WORK):
        return _answer(ticket, author, body, seen, **words)
    pace(ticket, author)
    message = append(ticket, author, body, **words)
    ticket.snooze(None)
    if ticket.status is not Status.NEW:
        turn(ticket, author, Status.OPEN)
    return message


def _answer(ticket: Ticket, author: User, body: str, seen: int, **words: Any) -> Message:
    """The team's answer: held back when there is something new, taken on by who answers first."""
    if ticket.status is Status.CLOSED:
        raise TicketClosed
    if _moved_past(ticket, author, seen):
        raise UnseenReply
    if ticket.assignee_id is None:
        give(ticket, author, author)
    message = append(ticket, author, body, **words)
    ticket.first_replied_at = ticket.first_replied_at or message.at
    turn(ticket, author, Status.WAITING)
    return message


def _follow_up(over: Ticket, author: User, body: str, *, channel: Channel, **words: Any) -> Message:
    """The answer to a ticket that is over: in one that follows it, the same one while that lasts."""
    following = db.session.scalar(
        select(Ticket).where(Ticket.follows_id == over.id).order_by(Ticket.id.desc()).limit(1)
    )
    if following is not None:
        return reply(following, author, body, seen=0, channel=channel, **words)
    ticket = begin(
        over.partner, author, over.subject, category=over.category, channel=channel, follows_id=over.id
    )
    happened(over, author, "followed", number=ticket.number)
    message = append(ticket, author, body, channel=channel, **words)
    remember_read(ticket, author, message.seq)
    forget_draft(over, author, Visibility.PUBLIC)
    promises.follow(ticket)
    news.arrived(ticket, message)
    news.changed(over)
    return message


def note(ticket: Ticket, author: User, body: str, *, client_id: str, files: Sequence[File] = ()) -> Message:
    """Append a note that only the team sees. Changes neither turn nor status."""
    ticket = _where_it_goes_on(ticket)
    if (said := said_here(ticket, author, client_id, Visibility.INTERNAL)) is not None:
        return said
    check(body, files)
    message = append(ticket, author, body, visibility=Visibility.INTERNAL, client_id=client_id, files=files)
    remember_read(ticket, author, message.seq)
    forget_draft(ticket, author, Visibility.INTERNAL)
    db.session.flush()
    news.noted(ticket, message)
    return message


def _where_it_goes_on(ticket: Ticket) -> Ticket:
    """The ticket that a message to this one belongs in, locked: the one it was merged into, if it was."""
    lock(ticket)
    while ticket.merged_into_id is not None:
        ticket = db.session.get_one(Ticket, ticket.merged_into_id)
        lock(ticket)
    return ticket


_COLUMNS = Message.__table__.c
_PAST = (
    select(_COLUMNS.id)
    .where(
        _COLUMNS.ticket_id == bindparam("ticket"),
        _COLUMNS.seq > bindparam("seen"),
        _COLUMNS.author_id != bindparam("author"),
    )
    .limit(1)
)


def _moved_past(ticket: Ticket, author: User, seen: int) -> bool:
    values = {"ticket": ticket.id, "seen": seen, "author": author.id}
    return db.session.scalar(_PAST, values) is not None
