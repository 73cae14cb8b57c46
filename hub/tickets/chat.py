"""Tickets over Socket.IO: join, send, typing, read; the same verbs as the form.

The client emits `join {ticket, after}`, `send {ticket, body, client_id, seen}`,
`typing {ticket}`, `read {ticket, seq}`; each is acknowledged with `{ok: true, …}`
or `{ok: false, error}`. The server emits `message`, `state`, `typing`, `read`.
"""

from typing import Any

from flask_socketio import emit, join_room
from sqlalchemy import select

from ..accounts.models import User
from ..core.access import Permission, can, visible_or_404
from ..core.database import transaction
from ..core.errors import Invalid
from ..core.i18n import _
from ..core.live import on
from . import news, service
from .models import Channel, Ticket, Visibility


@on("join")
def join(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Listen to a ticket; answers with what is newer than `after`, oldest first, and its state.

    At most 200 messages come at once: `more` says to ask again.
    """
    ticket = _ticket(user, data)
    join_room(news.room(ticket))
    if can(user, Permission.TICKETS_WORK):
        join_room(news.room(ticket, Visibility.INTERNAL))
    messages = service.thread(ticket, user, after=_number(data, "after"))
    return {
        "messages": [news.as_json(message) for message in messages],
        "more": len(messages) == service.PAGE,
        "state": news.state(ticket),
    }


@on("send")
def send(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Answer in public. The acknowledgement comes after the commit."""
    ticket = _ticket(user, data)
    client_id = _text(data, "client_id")
    if not 8 <= len(client_id) <= 64:
        raise Invalid(_("client_id needs 8 to 64 characters."))
    with transaction():
        message = service.reply(
            ticket,
            user,
            _text(data, "body"),
            seen=_number(data, "seen"),
            client_id=client_id,
            channel=Channel.CHAT,
        )
    return {"seq": message.seq}


@on("typing")
def typing(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Tell the others in the thread that this person writes. A note's author is shown to the team only."""
    ticket = _ticket(user, data)
    internal = bool(data.get("internal")) and can(user, Permission.TICKETS_WORK)
    room = news.room(ticket, Visibility.INTERNAL if internal else Visibility.PUBLIC)
    payload = {
        "ticket": ticket.number,
        "user": user.id,
        "name": user.name,
        "team": can(user, Permission.TICKETS_WORK),
    }
    emit("typing", payload, to=room, include_self=False)
    return {}


@on("read")
def read(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Remember how far this person has read; what is in a focused window counts as read."""
    ticket = _ticket(user, data)
    with transaction():
        service.mark_read(ticket, user, _number(data, "seq"))
    return {}


def _ticket(user: User, data: dict[str, Any]) -> Ticket:
    return visible_or_404(select(Ticket).where(Ticket.number == _number(data, "ticket")), user)


def _number(data: dict[str, Any], name: str) -> int:
    value = data.get(name, 0)
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def _text(data: dict[str, Any], name: str) -> str:
    """A text as a database takes it: JSON can carry lone surrogates and NUL, which forms cannot."""
    value = data.get(name, "")
    text = value if isinstance(value, str) else ""
    return text.replace("\x00", "").encode(errors="replace").decode()
