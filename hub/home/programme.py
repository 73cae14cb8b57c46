"""What the manager's first page shows: the month so far, beside the last one by the same day."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from ..core import clock, months
from ..core.database import db
from ..earnings import service as earnings
from ..partners.models import Partner, PartnerStatus


@dataclass(frozen=True)
class Currency:
    """Figures of one currency; sums are never made across them."""

    code: str
    now: earnings.Totals
    before: earnings.Totals


@dataclass(frozen=True)
class Programme:
    currencies: list[Currency]
    active: int
    joined: int  # this month

    @property
    def sales(self) -> int:
        return sum(each.now.sales for each in self.currencies)

    @property
    def sales_before(self) -> int:
        return sum(each.before.sales for each in self.currencies)


def overview() -> Programme:
    """The programme this month, and in as much of the last one."""
    now = clock.now()
    start = months.bounds(months.this_month())[0]
    start_before, end_before = months.bounds(months.previous_month(months.this_month()))
    totals = earnings.totals(start, now)
    before = earnings.totals(
        start_before, min(end_before, start_before + (now - start) + timedelta(seconds=1))
    )
    codes = sorted(
        totals.keys() | before.keys(), key=lambda code: -totals.get(code, earnings.Totals()).turnover
    )
    empty = earnings.Totals()
    active = Partner.status == PartnerStatus.ACTIVE
    return Programme(
        [Currency(code, totals.get(code, empty), before.get(code, empty)) for code in codes],
        active=_partners(active),
        joined=_partners(active, Partner.joined_at >= start),
    )


def _partners(*conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(Partner).where(*conditions)) or 0  # type: ignore[arg-type]
