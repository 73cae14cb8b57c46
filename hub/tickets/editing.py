"""Changing what one has said, for a short while; what stood there before stays in the history."""

from datetime import timedelta
from textwrap import shorten

from sqlalchemy import select

from ..accounts.models import User
from ..core import clock
from ..core.access import visible
from ..core.database import db
from . import news
from .errors import NotToBeChanged, TicketClosed
from .history import happened, lock
from .messages import PREVIEW, check
from .models import Channel, Message, Status, Ticket, TicketEvent, Visibility

#: As long as unread messages are not mailed: nobody has other words in their mailbox than on the page.
EDIT_WITHIN = timedelta(minutes=15)


def edit(message: Message, editor: User, body: str) -> None:
    """Give a message another text. Saying the same again changes nothing.

    Raises NotToBeChanged, TicketClosed, EmptyMessage, MessageTooLong.
    """
    ticket = message.ticket
    lock(ticket)
    if not may_edit(message, editor):
        raise NotToBeChanged
    if ticket.status is Status.CLOSED:
        raise TicketClosed
    check(body, message.attachments)
    if (body := body.strip()) == message.body:
        return
    happened(ticket, editor, "edited", seq=message.seq, before=message.body)
    message.body, message.edited_at = body, clock.now()
    if message.visibility is Visibility.PUBLIC and _is_last_public(message):
        ticket.preview = shorten(body, PREVIEW, placeholder="…")
    db.session.flush()
    news.edited(ticket, message)


def may_edit(message: Message, user: User) -> bool:
    """Is `message` this person's own, of the last minutes, and not in a mail already?"""
    own = message.author_id == user.id and message.channel is not Channel.MAIL
    return own and message.at > clock.now() - EDIT_WITHIN


def edited(ticket: Ticket, viewer: User, *, up_to: int, event: int = 0) -> list[Message]:
    """Messages up to the seq `up_to` that were changed past the event `event`: what a reader still has in old words."""
    changes = select(TicketEvent.data).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.id > event, TicketEvent.kind == "edited"
    )
    seqs = {data["seq"] for data in db.session.scalars(changes)}
    wanted = visible(select(Message), viewer).where(
        Message.ticket_id == ticket.id, Message.seq.in_(seqs), Message.seq <= up_to
    )
    return list(db.session.scalars(wanted.order_by(Message.seq))) if seqs else []


def _is_last_public(message: Message) -> bool:
    later = select(Message.id).where(
        Message.ticket_id == message.ticket_id,
        Message.seq > message.seq,
        Message.visibility == Visibility.PUBLIC,
    )
    return db.session.scalar(later.limit(1)) is None
