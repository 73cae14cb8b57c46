"""What a partner has earned: balances, months, comparisons. Sums are never made across currencies."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select

from ..core import clock, months
from ..core.database import db
from ..partners.models import Partner
from . import money
from .booking import counted
from .models import Conversion, EntryKind, LedgerEntry, Payout


class EntryState(StrEnum):
    """Where an amount is on its way; the rules are those of the programme's terms."""

    PENDING = "pending"  # its hold is running
    APPROVED = "approved"  # the hold is over, the balance is below the minimum
    PAYABLE = "payable"  # the minimum is reached: it leaves on the 5th
    PAID = "paid"


@dataclass
class Summary:
    """Minor units of one currency by state; `total` is their sum."""

    pending: int = 0
    approved: int = 0
    payable: int = 0
    paid: int = 0

    @property
    def total(self) -> int:
        return self.pending + self.approved + self.payable + self.paid


@dataclass
class Balance(Summary):
    """A partner's account in one currency; `paid` is what was transferred this calendar year."""

    currency: str = "EUR"
    pending_sales: int = 0
    payouts: int = 0


# What first pages ask is built once: building a statement costs more than asking it.

_PAID = (
    select(Payout.currency, func.sum(Payout.amount_minor), func.count())
    .where(Payout.partner_id == bindparam("partner"))
    .where(Payout.paid_at >= bindparam("start"), Payout.paid_at < bindparam("end"))
    .group_by(Payout.currency)
)


def balances(partner: Partner) -> dict[str, Balance]:
    """Accounts by currency, the partner's own currency always among them and first."""
    found = {partner.currency: Balance(currency=partner.currency)}
    found |= _unpaid([partner.id]).get(partner.id, {})
    start, end = months.year_bounds(months.this_year())
    values = {"partner": partner.id, "start": start, "end": end}
    for currency, amount, count in db.session.execute(_PAID, values):
        balance = found.setdefault(currency, Balance(currency=currency))
        balance.paid, balance.payouts = int(amount), count
    return found


def balances_of(partners: Iterable[Partner]) -> dict[int, dict[str, Balance]]:
    """What is still to be paid to many partners, by id and currency, in one statement."""
    return _unpaid([partner.id for partner in partners])


_ON_HOLD = LedgerEntry.available_at > bindparam("now")
_UNPAID = (
    select(
        LedgerEntry.partner_id,
        LedgerEntry.currency,
        func.sum(case((_ON_HOLD, LedgerEntry.amount_minor), else_=0)),
        func.sum(case((_ON_HOLD, 0), else_=LedgerEntry.amount_minor)),
        func.sum(case((and_(_ON_HOLD, LedgerEntry.kind == EntryKind.COMMISSION), 1), else_=0)),
    )
    .where(LedgerEntry.partner_id.in_(bindparam("partners", expanding=True)), LedgerEntry.payout_id.is_(None))
    .group_by(LedgerEntry.partner_id, LedgerEntry.currency)
    .order_by(LedgerEntry.currency)
)


def _unpaid(partner_ids: list[int]) -> dict[int, dict[str, Balance]]:
    found: dict[int, dict[str, Balance]] = {}
    rows = db.session.execute(_UNPAID, {"partners": partner_ids, "now": clock.now()})
    for partner_id, currency, pending, available, sales in rows:
        balance = Balance(currency=currency, pending=int(pending), pending_sales=int(sales))
        if _is_payable(int(available), currency):
            balance.payable = int(available)
        else:
            balance.approved = int(available)
        found.setdefault(partner_id, {})[currency] = balance
    return found


def _is_payable(available: int, currency: str) -> bool:
    return available >= money.minimum(currency)


def state_of(entry: LedgerEntry, balance: Balance) -> EntryState:
    """Where an entry is, given its account's balance."""
    if entry.payout_id is not None:
        return EntryState.PAID
    if entry.available_at > clock.now():
        return EntryState.PENDING
    return EntryState.PAYABLE if balance.payable else EntryState.APPROVED


def month_summary(partner: Partner, month: date) -> dict[str, Summary]:
    """What a month brought, by currency and by where it is now; payouts themselves are no earnings."""
    return month_summaries(partner, [month])[month.replace(day=1)]


def month_summaries(partner: Partner, wanted: list[date]) -> dict[date, dict[str, Summary]]:
    """`month_summary` of several months, in two statements however many entries there are."""
    wanted = [month.replace(day=1) for month in wanted]
    found: dict[date, dict[str, Summary]] = {month: {} for month in wanted}
    payable = {
        currency for currency, each in _unpaid([partner.id]).get(partner.id, {}).items() if each.payable
    }
    spans = [months.bounds(month) for month in wanted]
    state = case(
        (LedgerEntry.payout_id.is_not(None), EntryState.PAID.value),
        (LedgerEntry.available_at > clock.now(), EntryState.PENDING.value),
        else_=EntryState.APPROVED.value,
    )
    number = case(
        *(
            (and_(LedgerEntry.occurred_at >= start, LedgerEntry.occurred_at < end), at)
            for at, (start, end) in enumerate(spans)
        )
    )
    rows = (
        select(number.label("number"), state.label("state"), LedgerEntry.currency, LedgerEntry.amount_minor)
        .where(
            LedgerEntry.partner_id == partner.id, LedgerEntry.kind != EntryKind.PAYOUT,
            LedgerEntry.occurred_at >= min(spans)[0], LedgerEntry.occurred_at < max(spans)[1],
        )
        .subquery()
    )  # fmt: skip
    sums = select(rows.c.number, rows.c.state, rows.c.currency, func.sum(rows.c.amount_minor)).group_by(
        rows.c.number, rows.c.state, rows.c.currency
    )
    for at, where, currency, amount in db.session.execute(sums):
        if at is None:
            continue
        summary = found[wanted[at]].setdefault(currency, Summary())
        name = EntryState.PAYABLE if where == EntryState.APPROVED and currency in payable else where
        setattr(summary, name, int(amount))
    return found


@dataclass(frozen=True)
class Glance:
    """An account in a few words: what two months brought, and what is payable. Minor units."""

    currency: str
    this_month: int
    last_month: int
    payable: int


def _brought(month: str) -> Any:
    during = and_(
        LedgerEntry.kind != EntryKind.PAYOUT,
        LedgerEntry.occurred_at >= bindparam(f"{month}_start"),
        LedgerEntry.occurred_at < bindparam(f"{month}_end"),
    )
    return func.sum(case((during, LedgerEntry.amount_minor), else_=0))


_GLANCE = (
    select(
        LedgerEntry.currency,
        _brought("this"),
        _brought("last"),
        func.sum(case((and_(LedgerEntry.payout_id.is_(None), ~_ON_HOLD), LedgerEntry.amount_minor), else_=0)),
    )
    .where(
        LedgerEntry.partner_id == bindparam("partner"),
        or_(LedgerEntry.payout_id.is_(None), LedgerEntry.occurred_at >= bindparam("last_start")),
    )
    .group_by(LedgerEntry.currency)
    .order_by(LedgerEntry.currency)
)


def glance(partner: Partner) -> list[Glance]:
    """A partner's accounts, the own currency first, in one statement."""
    month = months.this_month()
    (start, end), (last_start, last_end) = months.bounds(month), months.bounds(months.previous_month(month))
    values = {
        "partner": partner.id,
        "now": clock.now(),
        "this_start": start,
        "this_end": end,
        "last_start": last_start,
        "last_end": last_end,
    }
    found = [
        Glance(currency, int(this), int(last), int(available) if _is_payable(int(available), currency) else 0)
        for currency, this, last, available in db.session.execute(_GLANCE, values)
    ]
    return sorted(found, key=lambda each: each.currency != partner.currency)


@dataclass
class Comparison:
    """This month against the last one: running totals by day, minor units of one currency.

    `this` ends today; `last` has all days of its month.
    """

    currency: str
    this: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.this[-1] if self.this else 0

    @property
    def last_same_day(self) -> int:
        """Last month's running total by the same day of the month."""
        return self.last[min(len(self.this), len(self.last)) - 1] if self.this and self.last else 0

    @property
    def last_total(self) -> int:
        return self.last[-1] if self.last else 0

    @property
    def change_bp(self) -> int | None:
        """Growth against the same day in basis points; None when there was nothing to compare with."""
        before = self.last_same_day
        return money.divide((self.total - before) * money.WHOLE, before) if before > 0 else None

    @property
    def days(self) -> int:
        return max(len(self.this), len(self.last))


_EARNED = select(LedgerEntry.currency, LedgerEntry.occurred_at, LedgerEntry.amount_minor).where(
    LedgerEntry.partner_id == bindparam("partner"),
    LedgerEntry.kind != EntryKind.PAYOUT,
    LedgerEntry.occurred_at >= bindparam("start"),
    LedgerEntry.occurred_at < bindparam("end"),
)


def this_month_vs_last(partner: Partner) -> Comparison:
    """How this month runs against the last, in the partner's currency (or that of most sales when it has none)."""
    month = months.this_month()
    before = months.previous_month(month)
    start, end = months.bounds(before)[0], months.bounds(month)[1]
    values = {"partner": partner.id, "start": start, "end": end}
    by_day: dict[str, dict[date, int]] = {}
    numbers: dict[str, int] = {}
    for currency, moment, amount in db.session.execute(_EARNED, values):
        days, day = by_day.setdefault(currency, {}), months.day_of(moment)
        days[day] = days.get(day, 0) + amount
        numbers[currency] = numbers.get(currency, 0) + 1
    currency = partner.currency
    if by_day and currency not in by_day:
        currency = max(sorted(numbers), key=lambda each: numbers[each])
    today = months.day_of(clock.now())
    days = by_day.get(currency, {})
    return Comparison(
        currency,
        _running(days, month, today),
        _running(days, before, month - timedelta(days=1)),
    )


def _running(days: dict[date, int], first: date, last: date) -> list[int]:
    total, found = 0, []
    for number in range((last - first).days + 1):
        total += days.get(first + timedelta(days=number), 0)
        found.append(total)
    return found


def sales_count(partner: Partner, year: int) -> int:
    """Sales of a calendar year that count towards a level."""
    return sales_counts([partner], year).get(partner.id, 0)


_SALES = (
    select(Conversion.partner_id, func.count())
    .where(
        Conversion.partner_id.in_(bindparam("partners", expanding=True)),
        counted(),
        Conversion.occurred_at >= bindparam("start"),
        Conversion.occurred_at < bindparam("end"),
    )
    .group_by(Conversion.partner_id)
)


def sales_counts(partners: Iterable[Partner], year: int) -> dict[int, int]:
    """`sales_count` of many partners by id, in one statement."""
    start, end = months.year_bounds(year)
    values = {"partners": [partner.id for partner in partners], "start": start, "end": end}
    return dict(iter(db.session.execute(_SALES, values)))


@dataclass
class Totals:
    """The programme's figures of a period in one currency, minor units."""

    sales: int = 0  # first payments
    renewals: int = 0
    turnover: int = 0  # what customers paid, refunds taken off
    commission: int = 0  # what partners earned: commission and bonuses, reversals taken off
    partners: int = 0  # that had a sale


def totals(start: datetime, end: datetime) -> dict[str, Totals]:
    """Figures from `start` until before `end`, by currency."""
    found: dict[str, Totals] = {}
    is_sale = Conversion.kind == "sale"
    sales = (
        select(
            Conversion.currency,
            func.sum(case((is_sale, 1), else_=0)),
            func.sum(case((is_sale, 0), else_=1)),
            func.sum(Conversion.amount_minor - Conversion.refunded_minor),
            func.count(Conversion.partner_id.distinct()),
        )
        .where(Conversion.occurred_at >= start, Conversion.occurred_at < end)
        .group_by(Conversion.currency)
    )
    for currency, first, renewals, turnover, partners in db.session.execute(sales):
        found[currency] = Totals(int(first), int(renewals), int(turnover), 0, partners)
    earned = (
        select(LedgerEntry.currency, func.sum(LedgerEntry.amount_minor))
        .where(
            LedgerEntry.kind != EntryKind.PAYOUT,
            LedgerEntry.occurred_at >= start,
            LedgerEntry.occurred_at < end,
        )
        .group_by(LedgerEntry.currency)
    )
    for currency, amount in db.session.execute(earned):
        found.setdefault(currency, Totals()).commission = int(amount)
    return dict(sorted(found.items()))


def has_entries(partner: Any) -> bool:
    """A partner with ledger entries is closed, never deleted."""
    return (
        db.session.scalar(select(LedgerEntry.id).where(LedgerEntry.partner_id == partner.id).limit(1))
        is not None
    )
