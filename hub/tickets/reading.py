"""How far each side has read."""

from sqlalchemy import bindparam, func, select, text

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, roles_with
from ..core.database import db, touched
from ..core.live import announce
from ..notifications.service import mark_read_at
from .models import ReadMark, Ticket


def mark_read(ticket: Ticket, reader: User, seq: int) -> None:
    """Remember that `reader` has seen everything up to `seq`, and tell the others."""
    works = can(reader, Permission.TICKETS_WORK)
    mark_read_at(reader, f"/inbox/{ticket.number}" if works else f"/tickets/{ticket.number}")
    if remember_read(ticket, reader, min(seq, ticket.last_seq)):
        payload = {"ticket": ticket.number, "seq": min(seq, ticket.last_seq), "user": reader.id}
        announce(f"ticket:{ticket.id}", "read", payload)


_TEAM = User.role.in_(roles_with(Permission.TICKETS_WORK))
_SEEN = (
    select(func.max(ReadMark.seq))
    .join(User, User.id == ReadMark.user_id)
    .where(ReadMark.ticket_id == bindparam("ticket"))
)
_SEEN_BY_TEAM, _SEEN_BY_PARTNER = _SEEN.where(_TEAM), _SEEN.where(~_TEAM)


def seen_by_other_side(ticket: Ticket, viewer: User) -> int:
    """The last `seq` that anybody of the other side has read."""
    other = _SEEN_BY_PARTNER if can(viewer, Permission.TICKETS_WORK) else _SEEN_BY_TEAM
    return db.session.scalar(other, {"ticket": ticket.id}) or 0


def read_marks(ticket: Ticket) -> list[dict[str, object]]:
    """How far each person has read, as sockets and the API give it."""
    marks = (
        select(ReadMark.user_id, ReadMark.seq, User.role)
        .join(User, User.id == ReadMark.user_id)
        .where(ReadMark.ticket_id == ticket.id)
        .order_by(ReadMark.user_id)
    )
    team = roles_with(Permission.TICKETS_WORK)
    return [{"user": id, "seq": seq, "team": role in team} for id, seq, role in db.session.execute(marks)]


#: One statement, which both databases know, for what happens with every message.
_REMEMBER = text(
    "INSERT INTO read_mark (ticket_id, user_id, seq, at) VALUES (:ticket, :reader, :seq, :at) "
    "ON CONFLICT (ticket_id, user_id) DO UPDATE SET seq = excluded.seq, at = excluded.at "
    "WHERE read_mark.seq < excluded.seq"
).bindparams(bindparam("at", type_=ReadMark.at.type))


def remember_read(ticket: Ticket, reader: User, seq: int) -> bool:
    """Keep the mark; False when the reader was that far already."""
    values = {"ticket": ticket.id, "reader": reader.id, "seq": seq, "at": clock.now()}
    return touched(_REMEMBER, values) > 0
