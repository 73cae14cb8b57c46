"""How the team answers, from any number of tickets: sums the database makes, in a fixed number of statements.

A period's tickets are those asked in it; what went into another ticket does not count twice. Times are minutes
of working time. A percentile is the time that so many in a hundred were not longer than (nearest rank).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, extract, func, or_, select

from ..core.database import db
from ..tickets.models import Ticket
from ..tickets.models_fields import TicketField, TicketValue
from ..tickets.models_rating import Rating
from .span import Span

HOUR = timedelta(hours=1)
#: Half and nine in ten.
MEDIAN, P90 = 50, 90
#: Ages of what waits, in days, the end excluded.
AGES = (1, 3, 7, 30)


class By(StrEnum):
    AGENT = "agent"
    CATEGORY = "category"
    TIER = "tier"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Group:
    """What the table is by: something that every ticket has, or a field of the programme's own."""

    by: By = By.AGENT
    field: TicketField | None = None

    @property
    def name(self) -> str:
        """As an address has it."""
        return f"field-{self.field.id}" if self.field else self.by

    @property
    def key(self) -> Any:
        if self.field is None:
            return KEYS[self.by]
        its = and_(TicketValue.ticket_id == Ticket.id, TicketValue.field_id == self.field.id)
        return select(TicketValue.value).where(its).scalar_subquery()


KEYS: dict[By, Any] = {
    By.AGENT: Ticket.assignee_id,
    By.CATEGORY: Ticket.category,
    By.TIER: Ticket.tier_id,
    By.CHANNEL: Ticket.channel,
}


BY_AGENT = Group()


@dataclass(frozen=True)
class Times:
    """Of how many tickets, and their median and 90th percentile in minutes."""

    count: int = 0
    median: int | None = None
    p90: int | None = None


@dataclass
class Sums:
    """What is known of some tickets."""

    asked: int = 0
    reopened: int = 0
    settled: int = 0  # solved at least once
    ratings: int = 0
    points: int = 0
    minutes: dict[str, Counter[int]] = field(
        default_factory=lambda: {"first": Counter(), "resolution": Counter()}
    )

    def add(self, other: "Sums") -> None:
        """Take in what is known of further tickets."""
        for name in ("asked", "reopened", "settled", "ratings", "points"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, minutes in other.minutes.items():
            self.minutes[name].update(minutes)

    @property
    def first(self) -> Times:
        return _times(self.minutes["first"])

    @property
    def resolution(self) -> Times:
        return _times(self.minutes["resolution"])

    @property
    def score(self) -> float | None:
        """The mean, 1 to 5."""
        return self.points / self.ratings if self.ratings else None

    @property
    def reopened_bp(self) -> int | None:
        """Share of those solved that were opened again, in basis points."""
        return round(self.reopened * 10_000 / self.settled) if self.settled else None


@dataclass(frozen=True)
class Overview:
    """A span, as many days before it, and the span's tickets by what was asked; those without one under None."""

    now: Sums
    before: Sums
    groups: dict[Any, Sums]


def overview(span: Span, group: Group = BY_AGENT) -> Overview:
    """Both spans and all groups in four statements, whatever there is."""
    found = Overview(Sums(), Sums(), {})
    for (is_later, part), sums in _parts(span, group.key).items():
        (found.now if is_later else found.before).add(sums)
        if is_later:
            found.groups[part] = sums
    return found


def asked_by_hour(span: Span) -> dict[datetime, int]:
    """How many were asked in each hour (in UTC) that had any."""
    hour = cast(extract("epoch", Ticket.created_at), BigInteger) // 3600
    counted = select(hour.label("hour"), func.count()).where(_asked_in(span)).group_by("hour")
    return {_EPOCH + int(each) * HOUR: count for each, count in db.session.execute(counted)}


def week(hours: Mapping[datetime, int], zone: str) -> list[list[int]]:
    """Seven days (Monday first) of twenty-four hours by the clock on the wall."""
    found = [[0] * 24 for _ in range(7)]
    wall = ZoneInfo(zone)
    for moment, count in hours.items():
        local = moment.astimezone(wall)
        found[local.weekday()][local.hour] += count
    return found


def by_day(hours: Mapping[datetime, int], span: Span) -> dict[date, int]:
    """Tickets of each day of the span, days without any included."""
    counts: Counter[date] = Counter()
    zone = span.zone
    for moment, count in hours.items():
        counts[moment.astimezone(zone).date()] += count
    return {day: counts[day] for day in span.days}


def backlog(at: datetime) -> list[int]:
    """How many waited for their solution at a moment, by age: one number for each of AGES and one for the rest."""
    limits = [at - timedelta(days=days) for days in AGES]
    newer = [func.sum(case((Ticket.created_at >= limit, 1), else_=0)) for limit in limits]
    row = db.session.execute(select(func.count(), *newer).where(_unsolved(at))).one()
    within = [0, *(int(each or 0) for each in row[1:]), row[0]]
    return [high - low for low, high in pairwise(within)]


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _unsolved(at: datetime) -> ColumnElement[bool]:
    open_then = or_(
        Ticket.is_live.is_(True),
        Ticket.resolved_at >= at,
        and_(Ticket.resolved_at.is_(None), Ticket.closed_at >= at),
    )
    return and_(Ticket.created_at < at, Ticket.merged_into_id.is_(None), open_then)


def _asked_in(span: Span) -> ColumnElement[bool]:
    inside = and_(Ticket.created_at >= span.start, Ticket.created_at < span.end)
    return and_(inside, Ticket.merged_into_id.is_(None))


def _parts(span: Span, key: Any) -> dict[tuple[int, Any], Sums]:
    """By whether it is the span itself or the one before, and by group."""
    both = Span(span.before.first, span.last)
    later = Ticket.created_at >= span.start
    # What was before is compared with as a whole: no need to tell its groups apart.
    parts = (case((later, 1), else_=0).label("later"), case((later, key)).label("part"))
    found: dict[tuple[int, Any], Sums] = {}
    once = or_(Ticket.reopened > 0, Ticket.is_live.is_(False))
    counted = select(
        *parts,
        func.count(),
        func.sum(case((Ticket.reopened > 0, 1), else_=0)),
        func.sum(case((once, 1), else_=0)),
    )
    counted = counted.where(_asked_in(both)).group_by("later", "part")
    for is_later, part, asked, reopened, settled in db.session.execute(counted):
        found[is_later, part] = Sums(asked, int(reopened), int(settled))
    for name, column in (("first", Ticket.first_reply_minutes), ("resolution", Ticket.resolution_minutes)):
        # How many took so many minutes: a few thousand rows say it of any number of tickets.
        took = select(*parts, column.label("minutes"), func.count()).where(
            _asked_in(both), column.is_not(None)
        )
        for is_later, part, minutes, count in db.session.execute(took.group_by("later", "part", "minutes")):
            if sums := found.get((is_later, part)):  # else it came after the tickets were counted
                sums.minutes[name][minutes] = count
    rated = select(*parts, func.count(), func.sum(Rating.score)).join(Rating, Rating.ticket_id == Ticket.id)
    rated = rated.where(_asked_in(both), Rating.score.is_not(None)).group_by("later", "part")
    for is_later, part, ratings, points in db.session.execute(rated):
        if sums := found.get((is_later, part)):
            sums.ratings, sums.points = ratings, int(points)
    return found


def _times(minutes: Counter[int]) -> Times:
    count = minutes.total()
    return Times(count, _reached(minutes, count, MEDIAN), _reached(minutes, count, P90))


def _reached(minutes: Counter[int], count: int, percent: int) -> int | None:
    """The first time that enough were not longer than."""
    passed = 0
    for each in sorted(minutes):
        passed += minutes[each]
        if passed * 100 >= count * percent:
            return each
    return None
