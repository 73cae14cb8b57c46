"""Some days in the programme's zone, and as many before them to compare with."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ..core import clock, months

DAY = timedelta(days=1)
USUAL = 90
LONGEST = 731


@dataclass(frozen=True)
class Span:
    """From the beginning of `first` to the end of `last`, both days of the programme's calendar."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        return months.midnight(self.first)

    @property
    def end(self) -> datetime:
        return months.midnight(self.last + DAY)

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[date]:
        return [self.first + n * DAY for n in range(self.length)]

    @property
    def zone(self) -> ZoneInfo:
        return months.zone()

    @property
    def before(self) -> "Span":
        """As many days right before."""
        return Span(self.first - self.length * DAY, self.first - DAY)


def of(first: str | None, last: str | None) -> Span:
    """The days asked for, as far as they are some; otherwise the last three months."""
    today = months.day_of(clock.now())
    end = min(_day(last) or today, today)
    begin = _day(first) or end - (USUAL - 1) * DAY
    begin = min(max(begin, end - (LONGEST - 1) * DAY), end)
    return Span(begin, end)


def usual() -> dict[str, Span]:
    """Spans to choose from by their names: month, quarter, year, twelve."""
    today = months.day_of(clock.now())
    return {
        "month": Span(today - 29 * DAY, today),
        "quarter": Span(today - (USUAL - 1) * DAY, today),
        "year": Span(today.replace(month=1, day=1), today),
        "twelve": Span(today - 364 * DAY, today),
    }


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None
