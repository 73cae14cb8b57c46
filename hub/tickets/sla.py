"""Promised times: what the team owes a ticket and by when, reckoned from what happened to it.

A ticket's history is the truth; due times kept on its row are a copy for lists. Each clock follows
the version of the rules that was in force when it started, so a new version never rewrites the past.
Pure: nothing here reads the database (`promises.py` does).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from .hours import Hours
from .models import Category, Clock, Priority, Status

MINUTE = timedelta(minutes=1)
RUNNING = (Status.NEW, Status.OPEN)


@dataclass(frozen=True)
class Policy:
    """Minutes of working time for tickets that fit every criterion given; None promises nothing."""

    tier: str | None = None
    category: Category | None = None
    priority: Priority | None = None
    first: int | None = None
    next: int | None = None
    resolution: int | None = None

    def fits(self, kind: "Kind") -> bool:
        return (
            self.tier in (None, kind.tier)
            and self.category in (None, kind.category)
            and self.priority in (None, kind.priority)
        )

    @property
    def weight(self) -> tuple[bool, bool, bool]:
        """The more exact policy wins: priority says more than category, category more than level."""
        return self.priority is not None, self.category is not None, self.tier is not None


@dataclass(frozen=True)
class Kind:
    """What decides which policy holds."""

    tier: str | None
    category: Category
    priority: Priority


@dataclass(frozen=True)
class Rules:
    """One version: working hours, policies, and how long before a due time the team is warned."""

    hours: Hours = field(default_factory=Hours)
    policies: tuple[Policy, ...] = ()
    warn: int = 30  # minutes of working time

    def policy(self, kind: Kind) -> Policy:
        fitting = [policy for policy in self.policies if policy.fits(kind)]
        return max(fitting, key=lambda policy: policy.weight, default=Policy())


@dataclass(frozen=True)
class Fact:
    """Something that happened: an answer of a person, another state, another kind."""

    at: datetime
    answer_of_team: bool | None = None  # False: of the partner; None: no public answer of a person
    status: Status | None = None
    category: Category | None = None
    priority: Priority | None = None


@dataclass(frozen=True)
class Reading:
    """What a clock shows. `due` is None while it stands still and after it has stopped."""

    clock: Clock
    started_at: datetime
    stopped_at: datetime | None
    spent: timedelta
    target: timedelta | None
    due: datetime | None
    warn: datetime | None

    @property
    def is_met(self) -> bool | None:
        """Kept in time; None while it runs or when nothing was promised."""
        if self.target is None or self.stopped_at is None:
            return None
        return self.spent <= self.target


RulesAt = Callable[[datetime], Rules]


def reckon(
    opened_at: datetime,
    kind: Kind,
    facts: Iterable[Fact],
    rules_at: RulesAt,
    now: datetime,
    *,
    answered: bool = True,
) -> list[Reading]:
    """Every clock of a ticket, in the order they started. `kind` is what it was opened as; `facts` are in order.

    Without `answered` those are left out that waited for a further answer and got it: a long conversation has many.
    """
    story = _Story(opened_at, kind)
    for fact in facts:
        story.take(fact)
    asked = [each for each in story.clocks if answered or each.clock is not Clock.NEXT or not each.stopped_at]
    return [_read(each, story, rules_at, now) for each in asked]


@dataclass
class _Started:
    clock: Clock
    at: datetime
    kind: Kind
    stopped_at: datetime | None = None


class _Story:
    """Walks through the facts: when it was the team's turn, and which clocks started and stopped."""

    def __init__(self, opened_at: datetime, kind: Kind) -> None:
        self.kind = kind
        self.turns: list[tuple[datetime, datetime | None]] = [(opened_at, None)]  # the team's
        self.first = _Started(Clock.FIRST, opened_at, kind)
        self.resolution = _Started(Clock.RESOLUTION, opened_at, kind)
        self.next: _Started | None = None
        self.clocks = [self.first, self.resolution]

    @property
    def is_running(self) -> bool:
        """Is it the team's turn?"""
        return self.turns[-1][1] is None

    def take(self, fact: Fact) -> None:
        if fact.category or fact.priority:
            self.kind = Kind(
                self.kind.tier, fact.category or self.kind.category, fact.priority or self.kind.priority
            )
            for started in self.clocks:
                if started.stopped_at is None:
                    started.kind = self.kind
        if fact.answer_of_team is not None:
            self._answer(fact.at, fact.answer_of_team)
        if fact.status is not None:
            self._move(fact.at, fact.status)

    def _answer(self, at: datetime, of_team: bool) -> None:
        if of_team:
            self.first.stopped_at = self.first.stopped_at or at
            if self.next is not None:
                self.next.stopped_at = at
                self.next = None
        elif self.first.stopped_at and self.next is None:
            self.next = _Started(Clock.NEXT, at, self.kind)
            self.clocks.append(self.next)

    def _move(self, at: datetime, status: Status) -> None:
        if status in RUNNING and not self.is_running:
            self.turns.append((at, None))
        elif status not in RUNNING and self.is_running:
            self.turns[-1] = (self.turns[-1][0], at)
        if not status.is_live:
            self.resolution.stopped_at = self.resolution.stopped_at or at
        else:  # reopened, it goes on as the ticket is now
            self.resolution.stopped_at, self.resolution.kind = None, self.kind


def _read(started: _Started, story: _Story, rules_at: RulesAt, now: datetime) -> Reading:
    rules = rules_at(started.at)
    minutes = getattr(rules.policy(started.kind), started.clock)
    target = None if minutes is None else minutes * MINUTE
    until = started.stopped_at or now
    turns = [(max(begin, started.at), min(end or until, until), end) for begin, end in story.turns]
    counted = [(begin, stop) for begin, stop, end in turns if begin < stop or (begin == stop and end is None)]
    spent = sum((rules.hours.between(begin, end) for begin, end in counted), timedelta())
    due = warn = None
    if target is not None and started.stopped_at is None and story.is_running:
        due = _reached(target, counted, rules.hours)
        warn = _reached(max(target - rules.warn * MINUTE, timedelta()), counted, rules.hours)
    return Reading(started.clock, started.at, started.stopped_at, spent, target, due, warn)


def _reached(work: timedelta, turns: list[tuple[datetime, datetime]], hours: Hours) -> datetime | None:
    """The moment by which the turns have used up `work`, the last of them going on for as long as it takes."""
    for begin, end in turns[:-1]:
        used = hours.between(begin, end)
        if work <= used:
            return hours.after(begin, work)
        work -= used
    return hours.after(turns[-1][0], work) if turns else None


# --- Rules as they are stored ----------------------------------------------


def parse(data: dict[str, Any]) -> Rules:
    """Rules from a version's `data`."""
    hours = Hours(
        zone=data["zone"],
        week=tuple(tuple((minutes(opens), minutes(closes)) for opens, closes in day) for day in data["week"]),
        holidays=frozenset(date.fromisoformat(day) for day in data["holidays"]),
    )
    policies = tuple(
        Policy(
            tier=each.get("tier"),
            category=Category(each["category"]) if each.get("category") else None,
            priority=Priority(each["priority"]) if each.get("priority") else None,
            **{clock: each.get(clock) for clock in Clock},
        )
        for each in data["policies"]
    )
    return Rules(hours, policies, data["warn"])


def minutes(text: str) -> int:
    """“09:30” → 570; “24:00” is the end of the day. Raises ValueError."""
    hour, _colon, minute = text.strip().partition(":")
    value = int(hour) * 60 + int(minute)
    if not (0 <= int(minute) < 60 and 0 <= value <= 24 * 60):
        raise ValueError(text)
    return value


def wall(minute: int) -> str:
    """570 → “09:30”."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
