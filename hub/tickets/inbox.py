"""The team's views of all tickets, and how many wait in each."""

import functools
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core.access import visible
from ..core.database import db
from ..core.frame import nav_count
from ..core.i18n import _l
from ..core.paging import Page, page
from .models import LIVE, Category, Priority, Status, Ticket


class View(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"
    WAITING = "waiting"
    LIVE = "live"
    ALL = "all"


TITLES = {
    View.MINE: _l("Mine"),
    View.UNASSIGNED: _l("Unassigned"),
    View.WAITING: _l("Waiting for partner"),
    View.LIVE: _l("All open"),
    View.ALL: _l("All"),
}

#: Nobody reads “4,182 waiting”: above this the count says “999+”.
MOST = 999
_TURN = (Status.NEW, Status.OPEN)


def narrow(statement: Select[Any], view: View, user: User) -> Select[Any]:
    """`statement` of tickets narrowed to a view."""
    match view:
        case View.MINE:
            return statement.where(Ticket.assignee_id == user.id, Ticket.status.in_(_TURN))
        case View.UNASSIGNED:
            return statement.where(Ticket.assignee_id.is_(None), Ticket.status.in_(_TURN))
        case View.WAITING:
            return statement.where(Ticket.status == Status.WAITING)
        case View.LIVE:
            return statement.where(Ticket.status.in_(LIVE))
        case View.ALL:
            return statement


def home_of(ticket: Ticket, user: User) -> View:
    """The narrowest view of `user` that holds the ticket."""
    if ticket.status in _TURN and ticket.assignee_id in (user.id, None):
        return View.MINE if ticket.assignee_id else View.UNASSIGNED
    if ticket.status is Status.WAITING:
        return View.WAITING
    return View.LIVE if ticket.status.is_live else View.ALL


def tickets(
    view: View,
    user: User,
    cursor: str | None,
    *,
    status: Status | None = None,
    category: Category | None = None,
    priority: Priority | None = None,
) -> Page:
    """One page of a view, most recently moved first."""
    statement = narrow(select(Ticket), view, user)
    if status:
        statement = statement.where(Ticket.status == status)
    if category:
        statement = statement.where(Ticket.category == category)
    if priority:
        statement = statement.where(Ticket.priority == priority)
    shown = (joinedload(Ticket.partner), joinedload(Ticket.requester), joinedload(Ticket.assignee))
    return page(statement.options(*shown), cursor, Ticket.updated_at, Ticket.id)


@functools.cache
def _counts() -> Select[Any]:
    """Built once: every page of the inbox asks it."""
    live = (
        select(Ticket.status, Ticket.assignee_id).where(Ticket.status.in_(LIVE)).limit(20 * MOST).subquery()
    )
    turn = live.c.status.in_(_TURN)

    def how_many(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    return select(
        how_many(turn & (live.c.assignee_id == bindparam("user"))),
        how_many(turn & live.c.assignee_id.is_(None)),
        how_many(live.c.status == Status.WAITING),
        func.count(),
    ).select_from(live)


def counts(user: User) -> dict[View, int]:
    """How many live tickets each view holds, up to one above MOST. One statement."""
    row = db.session.execute(_counts(), {"user": user.id}).one()
    return dict(zip((View.MINE, View.UNASSIGNED, View.WAITING, View.LIVE), row, strict=True))


_MY_TURN = select(func.count()).select_from(
    select(Ticket.id)
    .where(Ticket.assignee_id == bindparam("user"), Ticket.status.in_(_TURN))
    .limit(MOST)
    .subquery()
)


@nav_count("tickets.inbox")
def my_turn(user: User) -> int:
    """Tickets of `user` that wait for the team, for the number beside “Inbox”."""
    return db.session.scalar(_MY_TURN, {"user": user.id}) or 0


@nav_count("tickets.index")
def partners_turn(user: User) -> int:
    """Tickets that wait for the partner's answer, for the number beside “Support”."""
    return _bounded(visible(select(Ticket), user).where(Ticket.status == Status.WAITING))


def _bounded(statement: Select[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(statement.limit(MOST).subquery())) or 0
