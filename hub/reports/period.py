"""A month of the programme and the one it is compared with."""

from dataclasses import dataclass
from datetime import date, datetime

from ..core import clock, months

#: Months one can look back at.
MOST_MONTHS = 24


@dataclass(frozen=True)
class Period:
    """From `start` until before `end`; the month that runs ends now."""

    month: date
    start: datetime
    end: datetime

    @property
    def is_running(self) -> bool:
        return self.month == months.this_month()

    @property
    def days(self) -> int:
        """Whole days of the calendar it touches."""
        return (months.day_of(self.end) - self.month).days + (1 if self.is_running else 0)


def of(month: date) -> Period:
    start, end = months.bounds(month)
    return Period(month, start, min(end, clock.now()) if month == months.this_month() else end)


def before(period: Period) -> Period:
    """The month before; as much of it as has passed of a month that still runs.

    Comparing a third of a month with a whole one would always look like a fall.
    """
    month = months.previous_month(period.month)
    start, end = months.bounds(month)
    if period.is_running:
        end = min(end, start + (period.end - period.start))
    return Period(month, start, end)


def choices() -> list[date]:
    """Months to choose from, newest first."""
    return months.last_months(MOST_MONTHS)[::-1]
