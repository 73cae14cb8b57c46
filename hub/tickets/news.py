"""Who hears of what happens to a ticket: open pages at once, everyone in the bell."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from ..accounts.models import User
from ..core import i18n, presence
from ..core.access import Permission, can, roles_with
from ..core.database import after_commit, db
from ..core.i18n import _l
from ..core.live import announce, moved
from ..notifications.kinds import register
from ..notifications.service import notify
from ..partners.models import Membership
from . import mail_out, ties
from .messages import html_of
from .models import Message, Ticket, Visibility

register("ticket.opened", _l("%(name)s asks: %(subject)s"), icon="message-circle")
register("ticket.reply", _l("%(name)s answered: %(subject)s"), icon="message-circle")
register("ticket.note", _l("%(name)s left a note: %(subject)s"), icon="lock")
register("ticket.named", _l("%(name)s asks you: %(subject)s"), icon="lock")
register("ticket.turn", _l("It is your turn: %(subject)s"), icon="inbox")
register("ticket.soon", _l("Due soon: %(subject)s"), icon="clock")
register("ticket.overdue", _l("Overdue: %(subject)s"), icon="alert-triangle")
register("ticket.assigned", _l("%(name)s gave you a ticket: %(subject)s"), icon="inbox")
register("ticket.rated", _l("%(name)s rated the help: %(subject)s"), icon="message-circle")
register("ticket.mail_parked", _l("A mail from %(sender)s waits for a decision: %(subject)s"), icon="mail")


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
        "html": str(html_of(message)),
        "visibility": message.visibility,
        "client_id": message.client_id,
        "at": i18n.iso(message.at),
        "edited_at": i18n.iso(message.edited_at) if message.edited_at else None,
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
        "merged": ticket.merged_into_id is not None,
    }


def arrived(ticket: Ticket, message: Message) -> None:
    """A new ticket."""
    _show(ticket, message)
    _tell_team(ticket, message.author, "ticket.opened", once=False)


def answered(ticket: Ticket, message: Message, *, from_team: bool) -> None:
    """A public message in a known ticket."""
    _show(ticket, message)
    others = _partner_side(ticket, message.author)
    mail_out.keep(message, others)
    if from_team:
        # The message itself goes by mail, so the bell need not.
        params = _params(ticket, message.author)
        notify(others, "ticket.reply", params, f"/tickets/{ticket.number}", by_mail=False, once=True)
        following = _others(ties.followers(ticket), message.author_id)
        notify(following, "ticket.reply", params, f"/inbox/{ticket.number}", once=True)
    else:
        _tell_team(ticket, message.author, "ticket.reply")


def noted(ticket: Ticket, message: Message) -> None:
    """An internal note: nobody outside the team hears of it."""
    _show_message(room(ticket, Visibility.INTERNAL), message)
    params, url = _params(ticket, message.author), f"/inbox/{ticket.number}"
    named = [each for each in everyone() if f"@{each.name}" in message.body] if "@" in message.body else []
    notify([each for each in named if each.id != message.author_id], "ticket.named", params, url)
    listeners = [ticket.assignee] if ticket.assignee else []
    others = _others([*listeners, *ties.followers(ticket)], message.author_id, *(u.id for u in named))
    notify(others, "ticket.note", params, url)


def edited(ticket: Ticket, message: Message) -> None:
    """A message has other words now; whoever has it already replaces it by its `seq`."""
    _show_message(room(ticket, message.visibility), message)
    changed(ticket)


def assigned(ticket: Ticket, actor: User | None) -> None:
    """A colleague has a ticket now; nobody as the actor means that it was their turn."""
    changed(ticket)
    if ticket.assignee is None:
        return
    if actor is None:
        notify([ticket.assignee], "ticket.turn", {"subject": ticket.subject}, f"/inbox/{ticket.number}")
    elif ticket.assignee_id != actor.id:
        notify([ticket.assignee], "ticket.assigned", _params(ticket, actor), f"/inbox/{ticket.number}")


def rated(ticket: Ticket, rater: User) -> None:
    """Who solved it hears what was thought of it."""
    changed(ticket)
    if ticket.assignee is not None:
        notify(
            [ticket.assignee],
            "ticket.rated",
            _params(ticket, rater),
            f"/inbox/{ticket.number}",
            by_mail=False,
        )


def changed(ticket: Ticket) -> None:
    """Status, assignment or the like."""
    announce(room(ticket), "state", state(ticket))
    announce("inbox", "ticket", {"ticket": ticket.number})


def mail_parked(sender: str, subject: str) -> None:
    """A mail could not be placed: all of the team hear, and one decides."""
    notify(
        db.session.scalars(_TEAM),
        "ticket.mail_parked",
        {"sender": sender, "subject": subject},
        "/inbox/mails",
    )


def _show(ticket: Ticket, message: Message) -> None:
    _show_message(room(ticket), message)
    changed(ticket)


def _show_message(where: str, message: Message) -> None:
    # Rendering Markdown takes its time, and the transaction holds locks.
    after_commit(lambda: announce(where, "message", as_json(message)))


_TEAM = select(User).where(User.role.in_(roles_with(Permission.TICKETS_WORK)), User.disabled_at.is_(None))
_WROTE = select(Message.author_id).where(
    Message.ticket_id == bindparam("ticket"), Message.visibility == Visibility.PUBLIC
)
_FOLLOW = select(User).where(
    User.id.in_(select(Membership.user_id).where(Membership.partner_id == bindparam("partner"))),
    User.disabled_at.is_(None),
    User.id != bindparam("author"),
    User.id.in_(_WROTE) | (User.id == bindparam("requester")),
)


def everyone() -> list[User]:
    """All who work on tickets."""
    return list(db.session.scalars(_TEAM))


def _tell_team(ticket: Ticket, author: User, kind: str, *, once: bool = True) -> None:
    """The one who works on it hears; while nobody does, everyone. Of a new ticket nobody knows: `once` need not ask."""
    listeners = [ticket.assignee, *ties.followers(ticket)] if ticket.assignee else everyone()
    notify(
        _others(listeners, author.id),
        kind,
        _params(ticket, author),
        f"/inbox/{ticket.number}",
        once=once,
    )


def _others(people: Iterable[User], *but: int) -> list[User]:
    """Each of them once, without some."""
    return list({user.id: user for user in people if user.id not in but}.values())


def _partner_side(ticket: Ticket, author: User) -> list[User]:
    """People of the partner who follow the ticket: its requester and whoever wrote in it, while members."""
    values = {
        "ticket": ticket.id,
        "partner": ticket.partner_id,
        "author": author.id,
        "requester": ticket.requester_id,
    }
    return list(db.session.scalars(_FOLLOW, values))


def _params(ticket: Ticket, author: User) -> dict[str, str]:
    return {"name": author.name, "subject": ticket.subject}


@moved.connect
def who_is_here(place: str) -> None:
    """Somebody has come to a thread or left it: the team sees everyone, a partner their side and who answers."""
    kind, _colon, id = place.partition(":")
    ticket = db.session.get(Ticket, int(id)) if kind == "ticket" and id.isdigit() else None
    if ticket is None:
        return
    found = db.session.scalars(select(User).where(User.id.in_(presence.at(place))).order_by(User.id))
    people = [
        {"id": user.id, "name": user.name, "team": can(user, Permission.TICKETS_WORK)} for user in found
    ]
    shown = [each for each in people if not each["team"] or each["id"] == ticket.assignee_id]
    announce(room(ticket), "presence", {"ticket": ticket.number, "people": shown})
    if shown != people:
        announce(room(ticket, Visibility.INTERNAL), "presence", {"ticket": ticket.number, "people": people})
