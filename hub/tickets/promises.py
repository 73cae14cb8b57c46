"""Keeps the due times on a ticket's row as its history and the rules have them."""

import functools
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, roles_with
from ..core.database import db
from ..core.settings import settings
from ..partners.models import Tier
from . import sla
from .models import (
    NEVER,
    Alarm,
    Category,
    Clock,
    Message,
    Priority,
    ServiceRules,
    Status,
    Ticket,
    TicketEvent,
    Visibility,
)

#: What holds until the team writes down rules of its own.
DEFAULT: dict[str, Any] = {
    "week": [[["09:00", "18:00"]]] * 5 + [[], []],
    "holidays": [],
    "warn": 30,
    "policies": [
        {"first": 240, "next": 480, "resolution": 1620},
        {"priority": "high", "first": 120, "next": 240, "resolution": 1080},
        {"priority": "urgent", "first": 60, "next": 120, "resolution": 540},
    ],
}


#: Asked by every message: built once, of the tables, so that no row of a long history becomes an object.
_EVENT = TicketEvent.__table__.c
_MOVES = (  # the database takes the words out of their JSON: a long chat has hundreds of moves
    select(
        _EVENT.kind,
        _EVENT.at,
        _EVENT.data["before"].as_string().label("before"),
        _EVENT.data["after"].as_string().label("after"),
    )
    .where(_EVENT.ticket_id == bindparam("ticket"), _EVENT.kind.in_(("status", "category", "priority")))
    .order_by(_EVENT.id)
)
_VERSION = ServiceRules.__table__.c
_VERSIONS = select(_VERSION.effective_from, _VERSION.data).order_by(_VERSION.effective_from, _VERSION.id)
_TIER = select(Tier.key).where(Tier.id == bindparam("tier"))


def rules_over_time() -> sla.RulesAt:
    """A function that gives the rules in force at a moment."""
    known = db.session.execute(_VERSIONS).all()  # the oldest first

    @functools.cache
    def parsed(version: int) -> sla.Rules:
        return sla.parse(known[version].data)

    def at(moment: datetime) -> sla.Rules:
        begun = (n for n in reversed(range(len(known))) if known[n].effective_from <= moment)
        held = next(begun, None)
        return _default(settings.programme_timezone) if held is None else parsed(held)

    return at


@functools.cache
def _default(zone: str) -> sla.Rules:
    return sla.parse({"zone": zone} | DEFAULT)


def rules_now() -> sla.Rules:
    return rules_over_time()(clock.now())


def readings(ticket: Ticket, *, answered: bool = True) -> list[sla.Reading]:
    """Every clock of a ticket, reckoned anew from its history; see `sla.reckon`."""
    events = db.session.execute(_MOVES, {"ticket": ticket.id}).all()
    answers = _answers(ticket) if answered else _turning_points(ticket)
    facts = sorted([*answers, *_changes(events)], key=lambda fact: fact.at)
    opened_as, now = _opened_as(ticket, events), clock.now()
    return sla.reckon(ticket.created_at, opened_as, facts, rules_over_time(), now, answered=answered)


def follow(ticket: Ticket) -> None:
    """Bring the due times of `ticket` in line with what has happened to it. Its row must be locked."""
    found = readings(ticket, answered=False)
    running = [each for each in found if each.due is not None]
    soonest = min(running, key=lambda each: each.due or NEVER, default=None)
    due = (soonest and soonest.due) or NEVER
    if due != ticket.due_at:
        ticket.alarm = Alarm.NONE
    ticket.due_at = due
    ticket.due_kind = soonest.clock if soonest else None
    ticket.warn_at = (soonest and soonest.warn) or NEVER
    ticket.first_reply_minutes = _minutes(found, Clock.FIRST)
    ticket.resolution_minutes = _minutes(found, Clock.RESOLUTION)


def _minutes(found: list[sla.Reading], clock_: Clock) -> int | None:
    stopped = next((each for each in found if each.clock is clock_ and each.stopped_at), None)
    return int(stopped.spent / sla.MINUTE) if stopped else None


def _opened_as(ticket: Ticket, events: Sequence[Any]) -> sla.Kind:
    tier = db.session.scalar(_TIER, {"tier": ticket.tier_id}) if ticket.tier_id else None
    first: dict[str, str] = {}
    for event in events:
        if event.kind in ("category", "priority"):
            first.setdefault(event.kind, event.before)
    return sla.Kind(
        tier,
        Category(first.get("category", ticket.category)),
        Priority(first.get("priority", ticket.priority)),
    )


@functools.cache
def _answers_asked() -> Select[Any, Any]:
    return (
        select(Message.at, User.role)
        .join(User, User.id == Message.author_id)
        .where(
            Message.ticket_id == bindparam("ticket"),
            Message.visibility == Visibility.PUBLIC,
            Message.automatic.is_(False),
        )
        .order_by(Message.seq)
    )


def _answers(ticket: Ticket) -> Iterator[sla.Fact]:
    """What people have said in public."""
    team = roles_with(Permission.TICKETS_WORK)
    for at, role in db.session.execute(_answers_asked(), {"ticket": ticket.id}):
        yield sla.Fact(at, answer_of_team=role in team)


@functools.cache
def _turning_points_asked() -> Select[Any, Any]:
    said, who = Message.__table__.c, User.__table__.c
    answers = (
        select(said.at, said.seq, who.role.in_(roles_with(Permission.TICKETS_WORK)).label("of_team"))
        .join_from(Message.__table__, User.__table__, who.id == said.author_id)
        .where(
            said.ticket_id == bindparam("ticket"),
            said.visibility == Visibility.PUBLIC,
            said.automatic.is_(False),
        )
        .cte("answers")
    )
    first = select(func.min(answers.c.at)).where(answers.c.of_team).scalar_subquery()
    by_time = answers.c.at.desc(), answers.c.seq.desc()
    last = (
        select(answers.c.at, answers.c.seq).where(answers.c.of_team).order_by(*by_time).limit(1).cte("last")
    )
    since = (
        select(func.min(answers.c.at))
        .where(~answers.c.of_team, tuple_(answers.c.at, answers.c.seq) > tuple_(last.c.at, last.c.seq))
        .correlate(last)
        .scalar_subquery()
    )
    return select(first.label("first"), last.c.at.label("last"), since.label("since"))


def _turning_points(ticket: Ticket) -> Iterator[sla.Fact]:
    """Those of the answers that say what runs now: the team's first and last, and the partner's first since then.

    Whatever lies between stopped what it started. The database finds them: a conversation may be very long.
    """
    found = db.session.execute(_turning_points_asked(), {"ticket": ticket.id}).first()
    if found is None:  # the team has not answered yet, so nothing but its first answer is waited for
        return
    yield sla.Fact(found.first, answer_of_team=True)
    yield sla.Fact(found.last, answer_of_team=True)
    if found.since is not None:
        yield sla.Fact(found.since, answer_of_team=False)


def _changes(events: Sequence[Any]) -> Iterator[sla.Fact]:
    for event in events:
        match event.kind:
            case "status":
                yield sla.Fact(event.at, status=Status(event.after))
            case "category":
                yield sla.Fact(event.at, category=Category(event.after))
            case "priority":
                yield sla.Fact(event.at, priority=Priority(event.after))
