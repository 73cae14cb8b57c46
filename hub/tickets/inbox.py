"""The team's lists of tickets: views, filters, orders, and how many wait in each view."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import g
from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import aliased

from ..accounts.models import User
from ..core import clock
from ..core.access import Role, Somebody, visible
from ..core.database import among, db
from ..core.frame import nav_count
from ..core.i18n import _l
from ..core.paging import Page, page
from ..partners.models import Partner
from . import fields, finding
from .models import Category, Channel, Priority, SavedView, Status, Ticket, TicketTag, Turn

State = TypeVar("State", bound=StrEnum)


class View(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"
    WAITING = "waiting"
    OVERDUE = "overdue"
    LATER = "later"
    LIVE = "live"
    ALL = "all"


TITLES = {
    View.MINE: _l("Mine"),
    View.UNASSIGNED: _l("Unassigned"),
    View.WAITING: _l("Waiting for partner"),
    View.OVERDUE: _l("Overdue"),
    View.LATER: _l("Snoozed"),
    View.LIVE: _l("All open"),
    View.ALL: _l("All"),
}


class Order(StrEnum):
    DUE = "due"
    MOVED = "moved"
    OLDEST = "oldest"
    RANK = "priority"


ORDERS = {
    Order.MOVED: _l("Last moved first"),
    Order.DUE: _l("Due first"),
    Order.OLDEST: _l("Longest silent first"),
    Order.RANK: _l("Most urgent first"),
}

_KEYS = {
    Order.MOVED: ((Ticket.updated_at, Ticket.id), True),
    Order.DUE: ((Ticket.due_at, Ticket.id), False),
    Order.OLDEST: ((Ticket.updated_at, Ticket.id), False),
    Order.RANK: ((Ticket.rank, Ticket.updated_at, Ticket.id), True),
}

#: Nobody reads “4,182 waiting”: above this the count says “999+”.
MOST = 999
#: So few tickets are looked up one by one.
FEW_FOUND = 300
#: In the place of a person: whoever looks, and nobody.
ME, NOBODY = "me", "nobody"


@dataclass(frozen=True)
class Asked:
    """A list as its address asks for it; what the hub does not know is left out."""

    view: View = View.MINE
    order: Order = Order.MOVED
    status: Status | None = None
    category: Category | None = None
    priority: Priority | None = None
    channel: Channel | None = None
    assignee: str | None = None  # ME, NOBODY or a user's id
    partner: str | None = None  # a code
    tag: str | None = None
    field: str | None = None  # one of the programme's own and what it holds: “3:48213”
    q: str | None = None  # words that stand in it

    @classmethod
    def read(cls, args: Mapping[str, str], view: View = View.MINE) -> "Asked":
        assignee = args.get("assignee", "")
        return cls(
            view=_one_of(View, args.get("view")) or view,
            order=_one_of(Order, args.get("order")) or Order.MOVED,
            status=_one_of(Status, args.get("status")),
            category=_one_of(Category, args.get("category")),
            priority=_one_of(Priority, args.get("priority")),
            channel=_one_of(Channel, args.get("channel")),
            assignee=assignee if assignee in (ME, NOBODY) or _is_id(assignee) else None,
            partner=args.get("partner", "").strip().upper()[:20] or None,
            tag=args.get("tag", "").strip().lower()[:30] or None,
            field=asked_field if fields.read_pair(asked_field := args.get("field", "").strip()) else None,
            q=" ".join(args.get("q", "").replace("\x00", "").split())[:100] or None,
        )

    @property
    def narrowed(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: value for name, value in self.parameters().items() if name not in ("view", "order")}

    @property
    def query(self) -> str:
        """The same, behind the address of a page: a list of many lines builds it once."""
        return "?" + urlencode(self.parameters())

    def parameters(self, **others: Any) -> dict[str, Any]:
        """What an address needs to ask for this list, or for one like it with `others` instead."""
        asked = vars(self) | others
        if asked["order"] == Order.MOVED:
            del asked["order"]
        return {name: str(value) for name, value in asked.items() if value}


def _one_of(states: type[State], value: str | None) -> State | None:
    return states(value) if value in list(states) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def home_of(ticket: Ticket, user: User) -> View:
    """The narrowest view of `user` that holds the ticket."""
    if ticket.turn is Turn.TEAM and ticket.assignee_id in (user.id, None):
        return View.MINE if ticket.assignee_id else View.UNASSIGNED
    others = {Turn.PARTNER: View.WAITING, Turn.LATER: View.LATER, Turn.TEAM: View.LIVE}
    return others.get(ticket.turn, View.ALL)


def _holds(view: View, user: Any, now: Any) -> ColumnElement[bool] | None:
    """What is true of the tickets of a view; None for every ticket. `user` is an id, or a parameter for one."""
    holds: dict[View, Callable[[], ColumnElement[bool]]] = {
        View.MINE: lambda: and_(Ticket.assignee_id == user, Ticket.turn == Turn.TEAM),
        View.UNASSIGNED: lambda: and_(Ticket.assignee_id.is_(None), Ticket.turn == Turn.TEAM),
        View.WAITING: lambda: Ticket.turn == Turn.PARTNER,
        View.OVERDUE: lambda: Ticket.due_at <= now,
        View.LATER: lambda: Ticket.turn == Turn.LATER,
        View.LIVE: lambda: Ticket.is_live.is_(True),
    }
    return holds[view]() if view in holds else None


def narrow(statement: Select[Any], asked: Asked, user: User) -> Select[Any]:
    """`statement` of tickets narrowed to what is asked for."""
    conditions = [_holds(asked.view, user.id, clock.now())]
    for column, value in (
        (Ticket.status, asked.status),
        (Ticket.category, asked.category),
        (Ticket.channel, asked.channel),
    ):
        if value:
            conditions.append(column == value)
    if asked.priority:
        conditions.append(Ticket.rank == list(Priority).index(asked.priority))
    if asked.assignee == NOBODY:
        conditions.append(Ticket.assignee_id.is_(None))
    elif asked.assignee:
        conditions.append(Ticket.assignee_id == (user.id if asked.assignee == ME else int(asked.assignee)))
    if asked.partner:
        wanted = select(Partner.id).where(Partner.code == asked.partner).scalar_subquery()
        conditions.append(Ticket.partner_id == wanted)
    if asked.q:
        found = finding.ids(user, asked.q)
        # Of many, enough for a page are soon met in the list's own order; few are looked up and put into it.
        conditions.append(among(Ticket.id if len(found) < FEW_FOUND else Ticket.id + 0, found))
    if asked.tag:
        conditions.append(Ticket.id.in_(select(TicketTag.ticket_id).where(TicketTag.name == asked.tag)))
    if asked.field:
        conditions.append(Ticket.id.in_(fields.holding(asked.field)))
    return visible(statement, user).where(*(each for each in conditions if each is not None))


def tickets(asked: Asked, user: User, cursor: str | None = None) -> Page:
    """One page of a list."""
    keys, descending = _KEYS[asked.order]
    return page(narrow(_listed(), asked, user), cursor, *keys, descending=descending)


@functools.cache
def _listed() -> Any:
    """What a line of the list shows, and what the next page begins after: columns, as objects cost as much again."""
    requester, assignee = aliased(User), aliased(User)
    return (
        select(
            Ticket.id,
            Ticket.number,
            Ticket.subject,
            Ticket.preview,
            Ticket.status,
            Ticket.priority,
            Ticket.rank,
            Ticket.channel,
            Ticket.tags,
            Ticket.updated_at,
            Ticket.due_at,
            Partner.name.label("partner"),
            requester.name.label("requester"),
            assignee.name.label("assignee"),
        )
        .outerjoin(Partner, Partner.id == Ticket.partner_id)
        .outerjoin(requester, requester.id == Ticket.requester_id)
        .outerjoin(assignee, assignee.id == Ticket.assignee_id)
    )


# --- How many --------------------------------------------------------------


def _up_to_most(statement: Select[Any]) -> Any:
    # One more than MOST tells “999” from “999+”; an index holds all that is asked.
    return select(func.count()).select_from(statement.limit(MOST + 1).subquery()).scalar_subquery()


@functools.cache
def _counts() -> Select[Any]:
    """Built once: every page of the inbox asks it."""
    user: Any = bindparam("user")
    now: Any = bindparam("now", type_=Ticket.due_at.type)
    return select(
        *(
            _up_to_most(select(Ticket.id).where(condition)).label(view)
            for view in View
            if (condition := _holds(view, user, now)) is not None
        )
    )


def counts(user: User) -> dict[View, int]:
    """How many tickets each view holds, up to one above MOST."""
    row = db.session.execute(_counts(), {"user": user.id, "now": clock.now()}).one()
    return {View(name): number for name, number in row._mapping.items()}


def views(user: User) -> tuple[dict[View, int], list[tuple[SavedView, int | None]]]:
    """How many tickets each view holds, and each of the saved views without words, by name. Two statements."""
    saved = list(db.session.scalars(visible(select(SavedView), user).order_by(SavedView.name, SavedView.id)))
    # Words are looked up in the index: too much for a number on every page.
    counted = [each for each in saved if "q" not in each.asked]
    statement = _counts().add_columns(*(_count_of(each, user) for each in counted)) if counted else _counts()
    row = db.session.execute(statement, {"user": user.id, "now": clock.now()}).one()
    held = dict(zip((view for view in View if view is not View.ALL), row, strict=False))
    g.inbox_mine = held[View.MINE]
    numbers = {each.id: number for each, number in zip(counted, row[len(held) :], strict=True)}
    return held, [(each, numbers.get(each.id)) for each in saved]


def _count_of(saved: SavedView, user: User) -> Any:
    held = narrow(select(Ticket), Asked.read(saved.asked, View.ALL), user)
    return _up_to_most(held.with_only_columns(Ticket.id)).label(f"saved_{saved.id}")


_ME: Any = bindparam("user")
_MINE = select(_up_to_most(select(Ticket.id).where(Ticket.assignee_id == _ME, Ticket.turn == Turn.TEAM)))


@nav_count("tickets.inbox")
def my_turn(user: User) -> int:
    """Tickets of `user` that wait for the team, for the number beside “Inbox”."""
    if "inbox_mine" in g:  # the inbox has counted already
        return g.inbox_mine
    return db.session.scalar(_MINE, {"user": user.id}) or 0


@nav_count("tickets.index")
def partners_turn(user: User) -> int:
    """Tickets that wait for the partner's answer, for the number beside “Support”."""
    return db.session.scalar(_theirs(user.role), {"reader": user.id}) or 0


@functools.cache
def _theirs(role: Role) -> Select[Any]:
    """Built once per role: every page of a partner asks it."""
    waiting = visible(select(Ticket), Somebody(role)).where(Ticket.turn == Turn.PARTNER)
    return select(_up_to_most(waiting.with_only_columns(Ticket.id)))
