"""Live chats: begun while somebody of the team is there, ordinary tickets once nobody is."""

from datetime import timedelta

from sqlalchemy import select

from ..accounts.models import User
from ..core import clock, i18n
from ..core.access import Permission, can
from ..core.database import db
from . import availability, news
from .history import happened, lock
from .models import Channel, Status, Ticket
from .opening import open_ticket

#: A chat that rested longer is not gone on with: a new question is a new ticket.
RESTS = timedelta(hours=12)
SUBJECT = 80


def begin_chat(requester: User, body: str, *, client_id: str) -> Ticket:
    """Open a ticket from the chat window; its first words are its subject.

    Raises what open_ticket does.
    """
    ticket = open_ticket(requester, subject_of(body), body, client_id=client_id, channel=Channel.CHAT)
    ticket.is_chat = availability.now().chat
    return ticket


def subject_of(body: str) -> str:
    """The first sentence, or as much of it as a list shows."""
    words = " ".join(body.split())
    for end in (". ", "? ", "! "):
        sentence, found, _rest = words.partition(end)
        if found and len(sentence) < SUBJECT:
            words = sentence + end.strip()
    if len(words) <= SUBJECT:
        return words.removesuffix(".")
    return (
        words[:SUBJECT].rpartition(" ")[0].rstrip(",;:–—-") + "…"
        if " " in words[:SUBJECT]
        else words[:SUBJECT]
    )


def chat_of(user: User) -> Ticket | None:
    """The chat of `user` that still goes on."""
    if not can(user, Permission.TICKETS_OPEN):
        return None
    going_on = select(Ticket).where(
        Ticket.requester_id == user.id,
        Ticket.channel == Channel.CHAT,
        Ticket.is_live,
        Ticket.updated_at > clock.now() - RESTS,
    )
    return db.session.scalar(going_on.order_by(Ticket.updated_at.desc()).limit(1))


def waiting_chats(most: int) -> list[Ticket]:
    """Chats in which a partner waits for the team."""
    statement = select(Ticket).where(Ticket.is_chat, Ticket.status.in_((Status.NEW, Status.OPEN)))
    return list(db.session.scalars(statement.order_by(Ticket.id).limit(most)))


def hand_over(ticket: Ticket) -> None:
    """Nobody is there any more: the chat goes on as an ordinary ticket, with a promise in place of the wait."""
    lock(ticket)
    if not ticket.is_chat or ticket.status not in (Status.NEW, Status.OPEN):
        return
    ticket.is_chat = False
    by = ticket.due or availability.now().answer_by
    happened(ticket, None, "unattended", by=i18n.iso(by) if by else None)
    news.changed(ticket)
