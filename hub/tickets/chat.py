"""Tickets over Socket.IO: join, send, typing, read; the same verbs as the form.

The client emits `join {ticket, after}`, `send {ticket, body, client_id, seen}`,
`typing {ticket}`, `read {ticket, seq}`; each is acknowledged with `{ok: true, …}`
or `{ok: false, error}`. The server emits `message`, `state`, `typing`, `read`, `presence`.
"""

from typing import Any

from flask_socketio import emit, join_room
from sqlalchemy import bindparam, select

from ..accounts.models import User
from ..core.access import Permission, can, visible_or_404
from ..core.errors import Forbidden
from ..core.live import look, on
from . import news, service
from .asked import client_id, number, text
from .catching_up import since
from .models import Channel, Ticket, Visibility

#: Asked by every event: built once.
_BY_NUMBER = select(Ticket).where(Ticket.number == bindparam("number"))


@on("join")
def join(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Listen to a ticket; answers with what is newer than `after`, oldest first, and its state.

    At most 200 messages come at once: `more` says to ask again. `edited` are older ones with new words.
    """
    ticket = _ticket(user, data)
    join_room(news.room(ticket))
    if can(user, Permission.TICKETS_WORK):
        join_room(news.room(ticket, Visibility.INTERNAL))
    look(user, news.room(ticket))
    return since(ticket, user, after=number(data, "after"), event=number(data, "event"))


@on("watch")
def watch(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Hear of every ticket that moves: for open pages of the inbox."""
    if not can(user, Permission.TICKETS_WORK):
        raise Forbidden
    join_room("inbox")
    return {}


@on("send", writes=True)
def send(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Answer in public. The acknowledgement comes after the commit.

    It names the ticket when that is another one: a late answer opens one that follows.
    """
    ticket = service.locked(user, number(data, "ticket"))
    message = service.reply(
        ticket,
        user,
        text(data, "body"),
        seen=number(data, "seen"),
        client_id=client_id(data),
        channel=Channel.CHAT,
    )
    if message.ticket_id != ticket.id:
        return {"seq": message.seq, "ticket": message.ticket.number}
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


@on("read", writes=True)
def read(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """Remember how far this person has read; what is in a focused window counts as read."""
    service.mark_read(_ticket(user, data), user, number(data, "seq"))
    return {}


def _ticket(user: User, data: dict[str, Any]) -> Ticket:
    return visible_or_404(_BY_NUMBER, user, number=number(data, "ticket"))
