"""Keeps the due times on a ticket's row as its history and the rules have them."""

import functools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

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


def versions() -> list[ServiceRules]:
    """Every version, the oldest first."""
    statement = select(ServiceRules).order_by(ServiceRules.effective_from, ServiceRules.id)
    return list(db.session.scalars(statement))


def rules_over_time() -> sla.RulesAt:
    """A function that gives the rules in force at a moment."""
    known = versions()

    @functools.cache
    def parsed(version: ServiceRules) -> sla.Rules:
        return sla.parse(version.data)

    def at(moment: datetime) -> sla.Rules:
        held = next((version for version in reversed(known) if version.effective_from <= moment), None)
        return parsed(held) if held else _default(settings.programme_timezone)

    return at


@functools.cache
def _default(zone: str) -> sla.Rules:
    return sla.parse({"zone": zone} | DEFAULT)


def rules_now() -> sla.Rules:
    return rules_over_time()(clock.now())


def readings(ticket: Ticket) -> list[sla.Reading]:
    """Every clock of a ticket, reckoned anew from its history."""
    events = _events(ticket)
    facts = sorted([*_answers(ticket), *_changes(events)], key=lambda fact: fact.at)
    return sla.reckon(ticket.created_at, _opened_as(ticket, events), facts, rules_over_time(), clock.now())


def follow(ticket: Ticket) -> None:
    """Bring the due times of `ticket` in line with what has happened to it. Its row must be locked."""
    db.session.flush()
    found = readings(ticket)
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


def _opened_as(ticket: Ticket, events: list[TicketEvent]) -> sla.Kind:
    tier = db.session.get(Tier, ticket.tier_id) if ticket.tier_id else None
    first: dict[str, str] = {}
    for event in events:
        if event.kind in ("category", "priority"):
            first.setdefault(event.kind, event.data["before"])
    return sla.Kind(
        tier.key if tier else None,
        Category(first.get("category", ticket.category)),
        Priority(first.get("priority", ticket.priority)),
    )


def _answers(ticket: Ticket) -> Iterator[sla.Fact]:
    """What people have said in public."""
    team = roles_with(Permission.TICKETS_WORK)
    statement = (
        select(Message.at, User.role)
        .join(User, User.id == Message.author_id)
        .where(
            Message.ticket_id == ticket.id,
            Message.visibility == Visibility.PUBLIC,
            Message.automatic.is_(False),
        )
        .order_by(Message.seq)
    )
    for at, role in db.session.execute(statement):
        yield sla.Fact(at, answer_of_team=role in team)


def _changes(events: list[TicketEvent]) -> Iterator[sla.Fact]:
    for event in events:
        after = event.data["after"]
        match event.kind:
            case "status":
                yield sla.Fact(event.at, status=Status(after))
            case "category":
                yield sla.Fact(event.at, category=Category(after))
            case "priority":
                yield sla.Fact(event.at, priority=Priority(after))


def _events(ticket: Ticket) -> list[TicketEvent]:
    """What moves clocks besides answers, in order."""
    statement = (
        select(TicketEvent)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind.in_(("status", "category", "priority")))
        .order_by(TicketEvent.id)
    )
    return list(db.session.scalars(statement))
