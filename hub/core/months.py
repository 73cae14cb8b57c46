"""Months and years of the programme: they begin and end in its own time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from . import clock
from .settings import settings


def zone() -> ZoneInfo:
    return ZoneInfo(settings.programme_timezone)


def day_of(moment: datetime) -> date:
    return moment.astimezone(zone()).date()


def month_of(moment: datetime) -> date:
    """First day of the programme's month that `moment` falls in."""
    return day_of(moment).replace(day=1)


def this_month() -> date:
    return month_of(clock.now())


def this_year() -> int:
    return day_of(clock.now()).year


def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def previous_month(month: date) -> date:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def last_months(count: int) -> list[date]:
    """The present month and those before it, oldest first."""
    found = [this_month()]
    while len(found) < count:
        found.append(previous_month(found[-1]))
    return found[::-1]


def midnight(day: date) -> datetime:
    """The moment a day begins in the programme's zone."""
    return datetime.combine(day, time(), zone()).astimezone(UTC)


def bounds(month: date) -> tuple[datetime, datetime]:
    """Beginning of a month and of the next one."""
    return midnight(month.replace(day=1)), midnight(next_month(month))


def year_bounds(year: int) -> tuple[datetime, datetime]:
    return midnight(date(year, 1, 1)), midnight(date(year + 1, 1, 1))


def after_days(moment: datetime, days: int) -> datetime:
    """The same time of day so many days later, whatever the clocks did in between."""
    local = moment.astimezone(zone())
    return (local + timedelta(days=days)).astimezone(UTC)


def parse(text: str | None) -> date | None:
    """The month of “2026-11”; None for anything else, and for years in which no programme ran."""
    try:
        month = datetime.strptime(text or "", "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return month if 1970 <= month.year <= 2200 else None
