"""Messages as they are stored and read back, whoever wrote them."""

import functools
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from textwrap import shorten
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import joinedload, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from ..accounts.models import User
from ..core import clock, markup
from ..core.access import visible
from ..core.crash import crash_point
from ..core.database import after_commit, db, insert_now
from ..core.settings import Switch, settings
from ..core.storage import Stored
from .errors import ClientIdTaken, EmptyMessage, MessageTooLong, TooManyMessages
from .models import Attachment, Channel, Message, Ticket, Visibility

MAX_BODY = 100_000
PREVIEW = 140
#: Most messages that one page or one catching-up brings.
PAGE = 200
_COLUMNS = Message.__table__.c
#: Messages of one person of a partner in one ticket.
MOST_A_MINUTE = 30
#: The team answers between them: so many of the last messages surely hold the minute.
MOST_LOOKED_AT = 100


class File:
    """A stored file that is to hang on a message."""

    def __init__(self, stored: Stored, name: str, mime: str) -> None:
        self.stored, self.name, self.mime = stored, name, mime


@functools.cache
def _thread() -> Select[Any]:
    """Built once, like all that a ticket's page asks: building a statement costs more than asking it."""
    return (
        select(Message)
        .where(Message.ticket_id == bindparam("ticket"), Message.seq > bindparam("after"))
        .options(
            joinedload(Message.author),
            joinedload(Message.letter),
            joinedload(Message.moved_to).load_only(Ticket.number),
        )
        .order_by(Message.seq)
        .limit(bindparam("most"))
    )


def thread(ticket: Ticket, viewer: User, *, after: int = 0, limit: int = PAGE) -> list[Message]:
    """Messages of `ticket` past `after` that `viewer` may see, in order, at most `limit`."""
    values = {"ticket": ticket.id, "after": after, "most": limit}
    return _with_files(list(db.session.scalars(visible(_thread(), viewer), values)))


_FILES = (
    select(Attachment)
    .where(Attachment.message_id.in_(bindparam("messages", expanding=True)))
    .order_by(Attachment.message_id, Attachment.id)
)


def _with_files(messages: list[Message]) -> list[Message]:
    """The same messages, their attachments loaded: `selectinload` takes four times as long to find out how."""
    found = db.session.scalars(_FILES, {"messages": [message.id for message in messages]}) if messages else ()
    files = {message_id: list(group) for message_id, group in groupby(found, lambda file: file.message_id)}
    for message in messages:
        set_committed_value(message, "attachments", files.get(message.id, []))
    return messages


#: Of the table, not the model: most messages are new, and then there is no object to make.
_SAID = select(_COLUMNS.id).where(
    _COLUMNS.author_id == bindparam("author"), _COLUMNS.client_id == bindparam("client_id")
)


def html_of(message: Message) -> Markup:
    """A message as HTML: Markdown, or just as it was typed in a mail program."""
    by_mail = message.channel is Channel.MAIL
    return markup.typed(message.body) if by_mail else markup.message(message.body)


def said_before(author: User, client_id: str) -> Message | None:
    """The message that `author` has sent with this id already."""
    found = db.session.scalar(_SAID, {"author": author.id, "client_id": client_id})
    return None if found is None else db.session.get(Message, found)


def said_here(
    ticket: Ticket, author: User, client_id: str, visibility: Visibility = Visibility.PUBLIC
) -> Message | None:
    """The message of which this one is a retry. Raises ClientIdTaken if its id belongs to one elsewhere.

    Answering a message of another ticket with this one's acknowledgement would lose it.
    """
    said = said_before(author, client_id)
    if said is None:
        return None
    here = ticket.id in (said.ticket_id, said.ticket.follows_id)  # a late answer went into one that follows
    if not here or said.visibility is not visibility:
        raise ClientIdTaken
    return said


def pace(ticket: Ticket, author: User) -> None:
    """Raise TooManyMessages when `author` has written very much in this ticket within a minute.

    A stuck program or an angry hour must not bury what others ask.
    """
    if settings.rate_limits == Switch.OFF:
        return
    lately = select(func.count()).where(
        Message.ticket_id == ticket.id,
        Message.seq > ticket.last_seq - MOST_LOOKED_AT,
        Message.author_id == author.id,
        Message.at > clock.now() - timedelta(minutes=1),
    )
    if (db.session.scalar(lately) or 0) >= MOST_A_MINUTE:
        raise TooManyMessages


def check(body: str, files: Sequence[File]) -> None:
    if not body.strip() and not files:
        raise EmptyMessage
    if len(body) > MAX_BODY:
        raise MessageTooLong


def append(
    ticket: Ticket,
    author: User,
    body: str,
    *,
    client_id: str,
    files: Sequence[File],
    visibility: Visibility = Visibility.PUBLIC,
    channel: Channel = Channel.PORTAL,
) -> Message:
    """A new message at the end of a locked ticket, whose own row is written at the end. The ticket's new `seq` also has it indexed again."""
    values: dict[str, Any] = {
        "ticket_id": ticket.id,
        "seq": ticket.next_seq(),
        "author_id": author.id,
        "body": body.strip(),
        "visibility": visibility,
        "channel": channel,
        "client_id": client_id,
        "mail_id": None,
        "moved_to_id": None,
        "automatic": False,
        "at": clock.now(),
        "edited_at": None,
    }
    message = Message(id=insert_now(Message, **values), **values)
    make_transient_to_detached(message)
    db.session.add(message)
    set_committed_value(message, "ticket", ticket)
    set_committed_value(message, "attachments", [])
    message.attachments.extend(
        Attachment(key=file.stored.key, name=file.name, mime=file.mime, size=file.stored.size)
        for file in files
    )
    if visibility is Visibility.PUBLIC:
        ticket.updated_at = message.at
        ticket.preview = shorten(message.body, PREVIEW, placeholder="…")
    after_commit(lambda: crash_point("message_committed"))
    return message


def settle_preview(ticket: Ticket) -> None:
    """Let the list show the last public message that a ticket has now."""
    last = db.session.scalar(
        select(Message)
        .where(
            Message.ticket_id == ticket.id,
            Message.visibility == Visibility.PUBLIC,
            Message.moved_to_id.is_(None),
        )
        .order_by(Message.at.desc(), Message.seq.desc())
        .limit(1)
    )
    if last is not None:
        ticket.updated_at = last.at
        ticket.preview = shorten(last.body, PREVIEW, placeholder="…")
