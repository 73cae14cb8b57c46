"""The programme's figures for a period, each in a bounded number of statements."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import case, func, select

from ..accounts.models import User
from ..core import clock, months
from ..core.database import db
from ..earnings import service as earnings
from ..earnings.models import Attribution, Conversion, SaleKind
from ..partners.models import Membership, Partner, PartnerStatus
from ..tickets.models import LIVE, Ticket
from .period import Period

#: Fewer sales than this in both months say nothing about growth.
FEW_SALES = 2
#: A share of fewer than this, or a change beyond +999 %, says less than the two numbers.
FEW = 5
MOST_CHANGE_BP = 99_900
SHOWN = 5
QUIET_DAYS = 30


@dataclass(frozen=True)
class Figure:
    """A number and what it was in the period before; None is “no data”, never zero."""

    now: float | None
    before: float | None

    @property
    def change_bp(self) -> int | None:
        """Relative change in basis points; None when there is nothing to compare with."""
        if not self.before or self.now is None:
            return None
        return round((self.now - self.before) * 10_000 / self.before)

    @property
    def telling_bp(self) -> int | None:
        """The change in whole per cent where that says something; None where the two numbers say more."""
        change = self.change_bp
        if change is None or self.before is None or self.before < FEW or change > MOST_CHANGE_BP:
            return None
        return round(change / 100) * 100

    @property
    def difference(self) -> float | None:
        """By how many it changed; None when one of the numbers is missing."""
        return None if self.now is None or self.before is None else self.now - self.before


@dataclass(frozen=True)
class Mover:
    """A partner whose sales changed, and what may explain it."""

    partner: Partner
    now: int
    before: int
    last_sale_at: datetime | None
    last_seen_at: datetime | None
    open_tickets: int

    @property
    def figure(self) -> Figure:
        return Figure(self.now, self.before)

    @property
    def change_bp(self) -> int | None:
        return self.figure.change_bp

    @property
    def days_without_sale(self) -> int | None:
        return (clock.now() - self.last_sale_at).days if self.last_sale_at else None

    @property
    def is_away(self) -> bool:
        """Nobody of the partner has been here for a month."""
        return self.last_seen_at is None or self.last_seen_at < clock.now() - timedelta(days=QUIET_DAYS)


def active_partners(period: Period, former: Period) -> Figure:
    """Partners that were in the programme at the end of each period and still are."""
    return Figure(_partners_by(period.end), _partners_by(former.end))


def sales(period: Period, former: Period) -> Figure:
    """First payments of new customers."""
    return Figure(_sales(period), _sales(former))


def first_answer(period: Period, former: Period) -> Figure:
    """Median seconds from a ticket's opening to the team's first answer, of tickets opened in the period."""
    return Figure(_first_answer(period), _first_answer(former))


def tickets_opened(period: Period, former: Period) -> Figure:
    return Figure(_tickets(period), _tickets(former))


def sales_by_day(period: Period) -> list[int]:
    """Sales of each day of the period, in the programme's zone, days without any included."""
    days = [0] * period.days
    for moment in db.session.scalars(_in(select(Conversion.occurred_at), period)):
        at = (months.day_of(moment) - period.month).days
        if at < len(days):
            days[at] += 1
    return days


def sources(period: Period) -> list[tuple[Attribution, str, int, int]]:
    """(how it came, currency, sales, turnover in minor units), most sales first. Currencies are never added up."""
    rows = (
        select(
            Conversion.attribution,
            Conversion.currency,
            func.count(),
            func.sum(Conversion.amount_minor - Conversion.refunded_minor),
        )
        .where(Conversion.occurred_at >= period.start, Conversion.occurred_at < period.end)
        .where(Conversion.kind == SaleKind.SALE)
        .group_by(Conversion.attribution, Conversion.currency)
        .order_by(func.count().desc())
    )
    return [
        (how, currency, count, int(turnover)) for how, currency, count, turnover in db.session.execute(rows)
    ]


def money(period: Period) -> dict[str, earnings.Totals]:
    """Turnover and commission by currency."""
    return earnings.totals(period.start, period.end)


def movers(period: Period, former: Period) -> tuple[list[Mover], list[Mover]]:
    """(who grows, who needs help), the largest change first, at most five each.

    By the number of sales: amounts of several currencies have no common order.
    """
    counts = _sales_by_partner(period, former)
    grown = sorted(
        (p for p, (now, was) in counts.items() if now > was and now >= FEW_SALES),
        key=lambda p: _gain(counts[p]),
    )
    fallen = sorted(
        (p for p, (now, was) in counts.items() if now < was and was >= FEW_SALES),
        key=lambda p: -_gain(counts[p]),
    )
    grown, fallen = grown[:SHOWN], fallen[:SHOWN]
    known = _explained(grown + fallen, counts)
    return [known[p] for p in grown if p in known], [known[p] for p in fallen if p in known]


def _gain(counts: tuple[int, int]) -> float:
    now, was = counts
    return -(now - was) / max(was, 1)


def _sales_by_partner(period: Period, former: Period) -> dict[int, tuple[int, int]]:
    def within(each: Period) -> Any:
        inside = (Conversion.occurred_at >= each.start) & (Conversion.occurred_at < each.end)
        return func.sum(case((inside, 1), else_=0))

    rows = (
        select(Conversion.partner_id, within(period), within(former))
        .where(Conversion.kind == SaleKind.SALE)
        .where(Conversion.occurred_at >= former.start, Conversion.occurred_at < period.end)
        .group_by(Conversion.partner_id)
    )
    return {partner_id: (int(now), int(was)) for partner_id, now, was in db.session.execute(rows)}


def _explained(partner_ids: list[int], counts: dict[int, tuple[int, int]]) -> dict[int, Mover]:
    def by_partner(statement: Any) -> dict[int, Any]:
        return dict(iter(db.session.execute(statement)))

    last_sale = by_partner(
        select(Conversion.partner_id, func.max(Conversion.occurred_at))
        .where(Conversion.partner_id.in_(partner_ids))
        .group_by(Conversion.partner_id)
    )
    last_seen = by_partner(
        select(Membership.partner_id, func.max(User.last_seen_at))
        .join(User, User.id == Membership.user_id)
        .where(Membership.partner_id.in_(partner_ids))
        .group_by(Membership.partner_id)
    )
    waiting = by_partner(
        select(Ticket.partner_id, func.count())
        .where(Ticket.partner_id.in_(partner_ids), Ticket.status.in_(LIVE))
        .group_by(Ticket.partner_id)
    )
    partners = db.session.scalars(select(Partner).where(Partner.id.in_(partner_ids)))
    return {
        partner.id: Mover(
            partner,
            *counts[partner.id],
            last_sale.get(partner.id),
            last_seen.get(partner.id),
            waiting.get(partner.id, 0),
        )
        for partner in partners
    }


def _partners_by(end: datetime) -> int:
    active = select(func.count()).select_from(Partner).where(Partner.status == PartnerStatus.ACTIVE)
    return db.session.scalar(active.where(Partner.joined_at < end)) or 0


def _in(statement: Any, period: Period) -> Any:
    return statement.where(
        Conversion.kind == SaleKind.SALE,
        Conversion.occurred_at >= period.start,
        Conversion.occurred_at < period.end,
    )


def _sales(period: Period) -> int:
    return db.session.scalar(_in(select(func.count()).select_from(Conversion), period)) or 0


def _tickets(period: Period) -> int:
    opened = select(func.count()).select_from(Ticket)
    return (
        db.session.scalar(opened.where(Ticket.created_at >= period.start, Ticket.created_at < period.end))
        or 0
    )


def _first_answer(period: Period) -> float | None:
    times = db.session.execute(
        select(Ticket.created_at, Ticket.first_replied_at).where(
            Ticket.created_at >= period.start,
            Ticket.created_at < period.end,
            Ticket.first_replied_at.is_not(None),
        )
    )
    waits = [(answered - opened).total_seconds() for opened, answered in times if answered]
    return median(waits) if waits else None
