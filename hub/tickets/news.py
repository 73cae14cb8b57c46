"""Who hears of what happens to a ticket: open pages at once, everyone in the bell."""

from sqlalchemy import select

from ..accounts.models import User
from ..core import i18n, markup
from ..core.access import Permission, can, roles_with
from ..core.database import after_commit, db
from ..core.i18n import _l
from ..core.live import announce
from ..notifications.kinds import register
from ..notifications.service import notify
from ..partners.models import Membership
from .models import Message, Ticket, Visibility

register("ticket.opened", _l("%(name)s asks: %(subject)s"), icon="message-circle")
register("ticket.reply", _l("%(name)s answered: %(subject)s"), icon="message-circle")
register("ticket.note", _l("%(name)s left a note: %(subject)s"), icon="lock")
register("ticket.assigned", _l("%(name)s gave you a ticket: %(subject)s"), icon="inbox")


def room(ticket: Ticket, visibility: Visibility = Visibility.PUBLIC) -> str:
    """Live room of a ticket; what is internal goes to a room of the team's own."""
    return f"ticket:{ticket.id}" if visibility is Visibility.PUBLIC else f"ticket:{ticket.id}:team"


def as_json(message: Message) -> dict[str, object]:
    """A message as sockets and the API give it."""
    return {
        "ticket": message.ticket.number,
        "seq": message.seq,
        "author": {
            "id": message.author_id,
            "name": message.author.name,
            "team": can(message.author, Permission.TICKETS_WORK),
        },
        "body": message.body,
        "html": str(markup.message(message.body)),
        "visibility": message.visibility,
        "client_id": message.client_id,
        "at": i18n.iso(message.at),
        "attachments": [
            {"id": file.id, "name": file.name, "mime": file.mime, "size": file.size}
            for file in message.attachments
        ],
    }


def state(ticket: Ticket) -> dict[str, object]:
    """Where a ticket stands, as sockets and the API give it."""
    return {
        "ticket": ticket.number,
        "status": ticket.status,
        "last_seq": ticket.last_seq,
        "assignee": ticket.assignee.name if ticket.assignee else None,
    }


def arrived(ticket: Ticket, message: Message) -> None:
    """A new ticket."""
    _show(ticket, message)
    _tell_team(ticket, message.author, "ticket.opened")


def answered(ticket: Ticket, message: Message, *, from_team: bool) -> None:
    """A public message in a known ticket."""
    _show(ticket, message)
    if from_team:
        notify(
            _partner_side(ticket, message.author),
            "ticket.reply",
            _params(ticket, message.author),
            f"/tickets/{ticket.number}",
        )
    else:
        _tell_team(ticket, message.author, "ticket.reply")


def noted(ticket: Ticket, message: Message) -> None:
    """An internal note: nobody outside the team hears of it."""
    _show_message(room(ticket, Visibility.INTERNAL), message)
    if ticket.assignee is not None and ticket.assignee_id != message.author_id:
        notify([ticket.assignee], "ticket.note", _params(ticket, message.author), f"/inbox/{ticket.number}")


def assigned(ticket: Ticket, actor: User) -> None:
    changed(ticket)
    db.session.flush()
    db.session.refresh(ticket, ["assignee"])
    if ticket.assignee is not None and ticket.assignee_id != actor.id:
        notify([ticket.assignee], "ticket.assigned", _params(ticket, actor), f"/inbox/{ticket.number}")


def changed(ticket: Ticket) -> None:
    """Status, assignment or the like."""
    announce(room(ticket), "state", state(ticket))
    announce("inbox", "ticket", {"ticket": ticket.number})


def _show(ticket: Ticket, message: Message) -> None:
    _show_message(room(ticket), message)
    changed(ticket)


def _show_message(where: str, message: Message) -> None:
    # Rendering Markdown takes its time, and the transaction holds locks.
    after_commit(lambda: announce(where, "message", as_json(message)))


def _tell_team(ticket: Ticket, author: User, kind: str) -> None:
    """The one who works on it hears; while nobody does, everyone."""
    everyone = select(User).where(
        User.role.in_(roles_with(Permission.TICKETS_WORK)), User.disabled_at.is_(None)
    )
    listeners = [ticket.assignee] if ticket.assignee else list(db.session.scalars(everyone))
    notify(
        [user for user in listeners if user.id != author.id],
        kind,
        _params(ticket, author),
        f"/inbox/{ticket.number}",
    )


def _partner_side(ticket: Ticket, author: User) -> list[User]:
    """People of the partner who follow the ticket: its requester and whoever wrote in it, while members."""
    wrote = select(Message.author_id).where(
        Message.ticket_id == ticket.id, Message.visibility == Visibility.PUBLIC
    )
    members = select(Membership.user_id).where(Membership.partner_id == ticket.partner_id)
    statement = select(User).where(User.id.in_(members), User.disabled_at.is_(None), User.id != author.id)
    return list(db.session.scalars(statement.where(User.id.in_(wrote) | (User.id == ticket.requester_id))))


def _params(ticket: Ticket, author: User) -> dict[str, str]:
    return {"name": author.name, "subject": ticket.subject}
