"""New tickets go to colleagues in turn: to those who are there, within their hours, and have room."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, roles_with
from ..core.database import db
from . import news
from .assigning import give
from .history import lock
from .models import Desk, Status, Ticket, Turn

WORKDAYS = range(5)


def desk_or_default(user: User) -> Desk:
    """The user's desk as it is, or as it would be."""
    desk = db.session.get(Desk, user.id)
    return desk or Desk(user_id=user.id, takes_turns=False, capacity=20, opens=9 * 60, closes=18 * 60)


def desk_of(user: User) -> Desk:
    """The user's desk, made when there is none yet."""
    desk = desk_or_default(user)
    if desk not in db.session:
        db.session.add(desk)
        db.session.flush()
    return desk


def is_there(desk: Desk, at: datetime) -> bool:
    """Neither away nor disabled, and it is a working hour where they are."""
    wall = at.astimezone(ZoneInfo(desk.user.time_zone))
    within = wall.weekday() in WORKDAYS and desk.opens <= wall.hour * 60 + wall.minute < desk.closes
    return desk.away_since is None and desk.user.is_active and within


def distribute(limit: int = 50) -> int:
    """Give what nobody has to whoever is next; how many were given. Two at once give nothing twice."""
    waiting = select(Ticket).where(
        Ticket.assignee_id.is_(None), Ticket.turn == Turn.TEAM, Ticket.status == Status.NEW
    )
    # Whoever distributes holds the desks, so a second one waits and counts anew.
    desks = list(
        db.session.scalars(
            select(Desk).where(Desk.takes_turns.is_(True)).order_by(Desk.user_id).with_for_update()
        )
    )
    ready = [
        desk for desk in desks if is_there(desk, clock.now()) and can(desk.user, Permission.TICKETS_WORK)
    ]
    if not ready:
        return 0
    load = _load([desk.user_id for desk in ready])
    given = 0
    for ticket in db.session.scalars(waiting.order_by(Ticket.id).limit(limit)).all():
        free = [desk for desk in ready if load.get(desk.user_id, 0) < desk.capacity]
        if not free:
            break
        lock(ticket)
        if ticket.assignee_id is not None:
            continue
        desk = min(free, key=lambda each: (each.last_given_at is not None, each.last_given_at, each.user_id))
        give(ticket, None, desk.user)
        desk.last_given_at = clock.now()
        load[desk.user_id] = load.get(desk.user_id, 0) + 1
        news.assigned(ticket, None)
        given += 1
    return given


def _load(users: list[int]) -> dict[int, int]:
    """How many tickets wait for each of `users`."""
    statement = (
        select(Ticket.assignee_id, func.count())
        .where(Ticket.assignee_id.in_(users), Ticket.turn == Turn.TEAM)
        .group_by(Ticket.assignee_id)
    )
    return {user: number for user, number in db.session.execute(statement) if user is not None}


def go_away(user: User) -> None:
    """The user leaves their desk; what waits for them goes back to the team."""
    desk_of(user).away_since = clock.now()
    db.session.flush()
    return_work()


def come_back(user: User) -> None:
    desk_of(user).away_since = None


def return_work(limit: int = 200) -> int:
    """Give back what waits for people who are away, disabled or no longer of the team; how many tickets."""
    gone = (
        select(User.id)
        .outerjoin(Desk, Desk.user_id == User.id)
        .where(
            User.disabled_at.is_not(None)
            | Desk.away_since.is_not(None)
            | User.role.not_in(roles_with(Permission.TICKETS_WORK))
        )
    )
    theirs = select(Ticket).where(
        Ticket.assignee_id.is_not(None), Ticket.turn == Turn.TEAM, Ticket.assignee_id.in_(gone)
    )
    found = list(db.session.scalars(theirs.order_by(Ticket.id).limit(limit)))
    for ticket in found:
        lock(ticket)
        give(ticket, None, None)
        news.changed(ticket)
    return len(found)
