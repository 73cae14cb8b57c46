"""Messages as they are stored and read back, whoever wrote them."""

import functools
from collections.abc import Sequence
from textwrap import shorten
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload, selectinload

from ..accounts.models import User
from ..core import clock
from ..core.access import visible
from ..core.database import db
from ..core.storage import Stored
from .errors import EmptyMessage, MessageTooLong
from .models import Attachment, Channel, Message, Ticket, Visibility

MAX_BODY = 100_000
PREVIEW = 140
#: Most messages that one page or one catching-up brings.
PAGE = 200


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
        .options(joinedload(Message.author), selectinload(Message.attachments))
        .order_by(Message.seq)
        .limit(bindparam("most"))
    )


def thread(ticket: Ticket, viewer: User, *, after: int = 0, limit: int = PAGE) -> list[Message]:
    """Messages of `ticket` past `after` that `viewer` may see, in order, at most `limit`."""
    values = {"ticket": ticket.id, "after": after, "most": limit}
    return list(db.session.scalars(visible(_thread(), viewer), values))


def said_before(author: User, client_id: str) -> Message | None:
    return db.session.scalar(
        select(Message).where(Message.author_id == author.id, Message.client_id == client_id)
    )


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
