"""What partners earned in a closed month, from their statements, and whether those equal the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import and_, exists, func, select

from ..core import clock, i18n, months
from ..core.database import db
from ..core.i18n import _, ngettext
from ..earnings.booking import counted
from ..earnings.models import Conversion, EntryKind, LedgerEntry, Statement
from ..earnings.money import WHOLE, divide
from ..partners.models import Partner, PartnerStatus


@dataclass
class Figures:
    """Minor units by currency, and sales, of a month and the one before."""

    earned: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    sales: int = 0
    sales_before: int = 0
    rank: int | None = None
    ranked: int = 0


class Month:
    """The figures of one month, for as many partners as are asked for."""

    def __init__(self, month: date) -> None:
        self.month = month.replace(day=1)
        self.before = months.previous_month(self.month)
        self._ranks: dict[int, int] | None = None

    def of(self, partner_ids: Iterable[int]) -> dict[int, Figures]:
        """By partner; who has no statement of the month has no figures."""
        ids = list(set(partner_ids))
        found: dict[int, Figures] = {}
        for partner_id, currency, amount in _earned(self.month, ids):
            found.setdefault(partner_id, Figures()).earned[currency] = int(amount)
        for partner_id, currency, amount in _earned(self.before, ids):
            if partner_id in found:
                found[partner_id].before[currency] = int(amount)
        now, then = _sales(self.month, ids), _sales(self.before, ids)
        for partner_id, figures in found.items():
            figures.sales, figures.sales_before = now.get(partner_id, 0), then.get(partner_id, 0)
            figures.rank, figures.ranked = self.ranks.get(partner_id), len(self.ranks)
        return found

    @property
    def ranks(self) -> dict[int, int]:
        """Places of the active partners with sales in the month: who sold as many shares a place."""
        if self._ranks is None:
            sold = func.count().label("sold")
            place = func.rank().over(order_by=sold.desc())
            rows = (
                select(Conversion.partner_id, place)
                .join(Partner, Partner.id == Conversion.partner_id)
                .where(counted(), _within(Conversion.occurred_at, self.month))
                .where(Partner.status == PartnerStatus.ACTIVE)
                .group_by(Conversion.partner_id)
            )
            self._ranks = dict(iter(db.session.execute(rows)))
        return self._ranks


def _within(column: Any, month: date) -> Any:
    start, end = months.bounds(month)
    return and_(column >= start, column < end)


def _earned(month: date, ids: list[int]) -> Iterable[Any]:
    """What statements of a month hold, payouts aside: those are no earnings."""
    return db.session.execute(
        select(Statement.partner_id, Statement.currency, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.statement_id == Statement.id)
        .where(Statement.month == month, Statement.partner_id.in_(ids), LedgerEntry.kind != EntryKind.PAYOUT)
        .group_by(Statement.partner_id, Statement.currency)
        .order_by(Statement.currency)
    )


def _sales(month: date, ids: list[int]) -> dict[int, int]:
    rows = (
        select(Conversion.partner_id, func.count())
        .where(Conversion.partner_id.in_(ids), counted(), _within(Conversion.occurred_at, month))
        .group_by(Conversion.partner_id)
    )
    return dict(iter(db.session.execute(rows)))


def words(month: date, figures: Figures) -> dict[str, str]:
    """What the variables of the month stand for, in the language being spoken."""
    before = months.previous_month(month)
    return {
        "earnings.month": i18n.format_month(month),
        "earnings.total": " + ".join(
            i18n.money(minor, currency) for currency, minor in figures.earned.items()
        ),
        "earnings.change": _change(figures),
        "earnings.sales": i18n.number(figures.sales),
        "earnings.sales_before": _(
            "%(month)s: %(count)s",
            month=i18n.format_month(before, year=False),
            count=i18n.number(figures.sales_before),
        ),
        "earnings.rank": i18n.number(figures.rank) if figures.rank else "",
        "earnings.ranked": ngettext("of %(count)s with sales", "of %(count)s with sales", figures.ranked)
        if figures.rank
        else "",
    }


def _change(figures: Figures) -> str:
    """“+14% on the month before”; nothing where there is nothing, or more than one currency, to compare."""
    if len(figures.earned) != 1:
        return ""
    currency, now = next(iter(figures.earned.items()))
    then = figures.before.get(currency, 0)
    if then <= 0:
        return ""
    change = divide((now - then) * WHOLE, then)
    change = divide(change, 100) * 100
    if abs(change) > 10 * WHOLE:  # after a month of almost nothing a percentage says nothing
        return ""
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return _("%(change)s on the month before", change=sign + i18n.percent(abs(change)))


# --- May they be told? -----------------------------------------------------------


def trouble(month: date, partners: Any) -> str | None:
    """Why the figures of a month may not be sent to the partners whose ids `partners` selects; None when they may.

    A month is told only once its statements are closed, and only when each of
    them equals the sum of its entries.
    """
    month = month.replace(day=1)
    name = i18n.format_month(month)
    if clock.now() < months.bounds(month)[1]:
        return _("%(month)s is not over yet", month=name)
    if left := db.session.scalar(_unclosed(month, partners)):
        return _("%(month)s is not closed for %(partner)s", month=name, partner=left)
    if wrong := db.session.scalar(_unequal(month, partners)):
        return _(
            "The statement of %(partner)s for %(month)s does not equal the ledger", month=name, partner=wrong
        )
    return None


def _unclosed(month: date, partners: Any) -> Any:
    """Name of a partner with entries of the month and no statement that takes them."""
    closed = exists().where(
        Statement.partner_id == LedgerEntry.partner_id,
        Statement.currency == LedgerEntry.currency,
        Statement.month == month,
    )
    return (
        select(Partner.name)
        .join(LedgerEntry, LedgerEntry.partner_id == Partner.id)
        .where(
            Partner.id.in_(partners),
            LedgerEntry.statement_id.is_(None),
            _within(LedgerEntry.occurred_at, month),
            ~closed,
        )
        .limit(1)
    )


def _unequal(month: date, partners: Any) -> Any:
    held = (
        select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0))
        .where(LedgerEntry.statement_id == Statement.id)
        .scalar_subquery()
    )
    return (
        select(Partner.name)
        .join(Statement, Statement.partner_id == Partner.id)
        .where(Partner.id.in_(partners), Statement.month == month, Statement.total_minor != held)
        .order_by(Partner.id)
        .limit(1)
    )
