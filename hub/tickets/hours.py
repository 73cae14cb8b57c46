"""Business hours: when the team works, and how much working time lies between two moments.

The rule is one sentence: it is open at a moment when the clock on the wall of `zone` then shows
a time inside one of that day's intervals, and the day is no holiday. Everything here follows from
it through every change of clocks: an hour that is skipped counts nothing, one that comes twice counts twice.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = 7 * DAY
MIDNIGHT = time()
#: As far as an end is looked for; a calendar that is closed for so long has none.
HORIZON = timedelta(days=800)

Minutes = tuple[int, int]  # of the day, the end excluded; 1440 is 24:00
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hours:
    """Intervals by weekday (Monday is 0), sorted and apart from each other, and days off."""

    zone: str = "UTC"
    week: tuple[tuple[Minutes, ...], ...] = ((),) * 7
    holidays: frozenset[date] = field(default_factory=frozenset)

    def on(self, day: date) -> tuple[Minutes, ...]:
        return () if day in self.holidays else self.week[day.weekday()]

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Open time from `start` to `end`, in order and in UTC."""
        for begin, stop, offset in _steady(self.zone, start, end):
            # Between two changes of the clock the wall is the moment plus a constant.
            wall, last = (begin + offset).replace(tzinfo=None), (stop + offset).replace(tzinfo=None)
            for low, high in self._open(wall, last):
                yield (low - offset).replace(tzinfo=UTC), (high - offset).replace(tzinfo=UTC)

    @functools.lru_cache(maxsize=2048)  # noqa: B019 (few and never changed): a turn that is over is asked for again and again
    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from `start` to `end`."""
        total = timedelta()
        for begin, stop, offset in _steady(self.zone, start, end):
            wall, last = (begin + offset).replace(tzinfo=None), (stop + offset).replace(tzinfo=None)
            # A ticket of last year has hundreds of days; the whole weeks among them are all alike.
            rest = wall + (last - wall) // WEEK * WEEK
            total += self._whole_weeks(wall, rest) + _length(self._open(rest, last))
        return total

    def _open(self, wall: datetime, last: datetime) -> Iterator[Span]:
        """Open time between two readings of the clock on the wall that is not set between them."""
        day = wall.date()
        while datetime.combine(day, MIDNIGHT) < last:
            yield from _within(day, self.on(day), wall, last)
            day += DAY

    def _whole_weeks(self, wall: datetime, last: datetime) -> timedelta:
        usual = sum(closes - opens for day in self.week for opens, closes in day)
        off = (day for day in self.holidays if wall.date() <= day <= last.date())
        missed = (_length(_within(day, self.week[day.weekday()], wall, last)) for day in off)
        return (last - wall) // WEEK * timedelta(minutes=usual) - sum(missed, timedelta())

    def after(self, start: datetime, work: timedelta) -> datetime | None:
        """The first moment by which `work` of working time has passed since `start`; None beyond the horizon."""
        if work <= timedelta():
            return start
        for low, high in self._ahead(start):
            if work <= high - low:
                return low + work
            work -= high - low
        return None

    def is_open(self, at: datetime) -> bool:
        wall = at.astimezone(ZoneInfo(self.zone))
        minute = wall.hour * 60 + wall.minute
        return any(opens <= minute < closes for opens, closes in self.on(wall.date()))

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself while it is open; None beyond the horizon."""
        return next((low for low, _high in self._ahead(at)), None)

    def _ahead(self, start: datetime) -> Iterator[Span]:
        # A week at a time: most ends are near, and few days are ever looked at.
        for week in range(HORIZON // WEEK):
            yield from self.spans(start + week * WEEK, start + (week + 1) * WEEK)


def _within(day: date, intervals: tuple[Minutes, ...], wall: datetime, last: datetime) -> Iterator[Span]:
    """Intervals of a day, as far as they lie between two readings of the wall's clock."""
    midnight = datetime.combine(day, MIDNIGHT)
    for opens, closes in intervals:
        low = max(wall, midnight + timedelta(minutes=opens))
        high = min(last, midnight + timedelta(minutes=closes))
        if low < high:
            yield low, high


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((high - low for low, high in spans), timedelta())


def _steady(zone: str, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Pieces of `start`…`end` in which the zone's offset does not change, with that offset."""
    begin = start.astimezone(UTC)
    end = end.astimezone(UTC)
    while begin < end:
        stop = min(end, _next_change(zone, begin) or end)
        yield begin, stop, begin.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
        begin = stop


def _next_change(zone: str, after: datetime) -> datetime | None:
    changes = _changes(zone, after.year) + _changes(zone, after.year + 1)
    return next((change for change in changes if change > after), None)


@functools.lru_cache(maxsize=512)
def _changes(zone: str, year: int) -> tuple[datetime, ...]:
    """Moments of a year (in UTC) at which the zone's clock is set, to the second."""
    clock = ZoneInfo(zone)
    found = []
    low = datetime(year, 1, 1, tzinfo=UTC)
    while low.year == year:
        high = low + DAY
        if low.astimezone(clock).utcoffset() != high.astimezone(clock).utcoffset():
            found.append(_change(clock, low, high))
        low = high
    return tuple(found)


def _change(clock: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = low.astimezone(clock).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(clock).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
