"""Following a ticket, and saying that two have to do with each other."""

from dataclasses import dataclass

from sqlalchemy import bindparam, literal, select

from ..accounts.models import User
from ..core.access import Permission, roles_with
from ..core.database import db
from .errors import SameTicket
from .history import happened, lock
from .models import Ticket
from .models_ties import Follower, Tie

#: Tickets shown as having to do with one.
SHOWN = 20


def follow(ticket: Ticket, user: User) -> None:
    """Tell `user` of every message from now on; harmless when they follow already."""
    lock(ticket)
    if not follows(ticket, user):
        db.session.add(Follower(ticket_id=ticket.id, user_id=user.id))
        happened(ticket, user, "follows")


def unfollow(ticket: Ticket, user: User) -> None:
    lock(ticket)
    held = db.session.get(Follower, (ticket.id, user.id))
    if held is not None:
        db.session.delete(held)
        happened(ticket, user, "unfollows")


def carry(source: Ticket, target: Ticket) -> None:
    """Who follows a ticket follows the one it goes into."""
    there = {each.id for each in followers(target)}
    db.session.add_all(
        Follower(ticket_id=target.id, user_id=each.id) for each in followers(source) if each.id not in there
    )


def follows(ticket: Ticket, user: User) -> bool:
    return db.session.get(Follower, (ticket.id, user.id)) is not None


def followers(ticket: Ticket) -> list[User]:
    """Those who follow and still work here, by name."""
    values = {"ticket": ticket.id}
    if db.session.scalar(_FOLLOWED, values) is None:
        return []
    return list(db.session.scalars(_FOLLOWERS, values))


#: Asked by every message: built once. Few are followed, and no people are looked for in vain.
_COLUMNS = Follower.__table__.c
_FOLLOWED = select(_COLUMNS.user_id).where(_COLUMNS.ticket_id == bindparam("ticket")).limit(1)
_FOLLOWERS = (
    select(User)
    .where(User.id.in_(select(Follower.user_id).where(Follower.ticket_id == bindparam("ticket"))))
    .where(User.role.in_(roles_with(Permission.TICKETS_WORK)), User.disabled_at.is_(None))
    .order_by(User.name)
)


def tie(ticket: Ticket, other: Ticket, actor: User) -> None:
    """Say that both have to do with each other; harmless when it is said. Raises SameTicket."""
    if ticket.id == other.id:
        raise SameTicket
    for each in sorted((ticket, other), key=lambda each: each.id):
        lock(each)
    one, two = sorted((ticket.id, other.id))
    if db.session.get(Tie, (one, two)) is None:
        db.session.add(Tie(one_id=one, other_id=two, actor_id=actor.id))
        happened(ticket, actor, "tied", number=other.number)
        happened(other, actor, "tied", number=ticket.number)


def untie(ticket: Ticket, other: Ticket, actor: User) -> None:
    for each in sorted((ticket, other), key=lambda each: each.id):
        lock(each)
    one, two = sorted((ticket.id, other.id))
    held = db.session.get(Tie, (one, two))
    if held is not None:
        db.session.delete(held)
        happened(ticket, actor, "untied", number=other.number)
        happened(other, actor, "untied", number=ticket.number)


@dataclass(frozen=True)
class Around:
    """Ids of those who follow a ticket, and of the tickets that have to do with it, the newest first."""

    followers: frozenset[int]
    tied: list[int]


def around(ticket: Ticket) -> Around:
    """In one statement."""
    following = select(literal("follower"), Follower.user_id).where(Follower.ticket_id == ticket.id)
    later = select(literal("tie"), Tie.other_id).where(Tie.one_id == ticket.id)
    earlier = select(literal("tie"), Tie.one_id).where(Tie.other_id == ticket.id)
    rows = db.session.execute(following.union_all(later, earlier)).all()
    tied = sorted((id for kind, id in rows if kind == "tie"), reverse=True)[:SHOWN]
    return Around(frozenset(id for kind, id in rows if kind == "follower"), tied)
