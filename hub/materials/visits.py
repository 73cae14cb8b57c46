"""What clicks add up to: by day, by material, by link and by the site they came from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import Select, case, func, select

from ..core import clock, months
from ..core.access import visible
from ..core.database import db
from .models import Asset, Click, ClickKind

USUAL_DAYS, MOST_DAYS = 30, 400
SHOWN = 10


@dataclass(frozen=True)
class Span:
    """Days of the programme, both included."""

    first: date
    last: date

    def days(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


@dataclass(frozen=True)
class Count:
    """Visits of people, how often they came again the same day, and visits of programs."""

    visits: int = 0
    repeats: int = 0
    bots: int = 0

    @property
    def all(self) -> int:
        return self.visits + self.repeats + self.bots


def span(first: str | None, last: str | None) -> Span:
    """The days asked for as `YYYY-MM-DD`; without them the last thirty, at most four hundred."""
    today = months.day_of(clock.now())
    end = min(_day(last) or today, today)
    begin = _day(first) or end - timedelta(days=USUAL_DAYS - 1)
    return Span(max(min(begin, end), end - timedelta(days=MOST_DAYS - 1)), end)


def clicks(user: Any, days: Span, partner_id: int | None = None, asset_id: int | None = None) -> Select[Any]:
    """Clicks that `user` may see in these days; of one partner and through one material when named."""
    statement = visible(select(Click), user).where(Click.day >= days.first, Click.day <= days.last)
    if partner_id is not None:
        statement = statement.where(Click.partner_id == partner_id)
    return statement.where(Click.asset_id == asset_id) if asset_id is not None else statement


def by_day(found: Select[Any], days: Span) -> dict[date, Count]:
    """Every day of the span, those without a click too."""
    rows = db.session.execute(_counted(found, Click.day).group_by(Click.day))
    counts = {row[0]: Count(*row[1:]) for row in rows}
    return {day: counts.get(day, Count()) for day in days.days()}


def by_asset(found: Select[Any]) -> list[tuple[Asset | None, Count]]:
    """Materials with the most visits; None stands for links without one."""
    rows = _most(found, Click.asset_id)
    ids = [id for id, _count in rows if id is not None]
    assets = {asset.id: asset for asset in db.session.scalars(select(Asset).where(Asset.id.in_(ids)))}
    return [(assets.get(id), count) for id, count in rows]


def by_link(found: Select[Any]) -> list[tuple[str | None, Count]]:
    """Pages and marks that links asked for; None stands for none."""
    return _most(found, Click.link)


def readable(link: str) -> str:
    """“to=/pricing%3Fa%3D1&utm_source=blog” as people write it: “/pricing?a=1&utm_source=blog”."""
    marks = dict(parse_qsl(link))
    page = marks.pop("to", "")
    said = "&".join(f"{name}={value}" for name, value in marks.items())
    return f"{page}{'&' if '?' in page else '?'}{said}" if page and said else page or said


def by_site(found: Select[Any]) -> list[tuple[str | None, Count]]:
    """Sites that links stand on; None where the visitor's browser did not say."""
    return _most(found, Click.referrer)


def total(counts: dict[date, Count]) -> Count:
    return Count(
        *(sum(getattr(each, name) for each in counts.values()) for name in ("visits", "repeats", "bots"))
    )


def _most(found: Select[Any], column: Any) -> list[tuple[Any, Count]]:
    visits = func.sum(_is(ClickKind.VISIT))
    rows = db.session.execute(
        _counted(found, column).group_by(column).order_by(visits.desc(), column).limit(SHOWN)
    )
    return [(row[0], Count(*row[1:])) for row in rows]


def _counted(found: Select[Any], column: Any) -> Select[Any]:
    sums = (func.sum(_is(kind)) for kind in (ClickKind.VISIT, ClickKind.REPEAT, ClickKind.BOT))
    return found.with_only_columns(column, *sums, maintain_column_froms=True)


def _is(kind: ClickKind) -> Any:
    return case((Click.kind == kind, 1), else_=0)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
