"""Sales and refunds become ledger entries, each with a snapshot of what it was counted from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from ..core import clock, months
from ..core.database import db
from ..partners import levels
from ..partners.models import Partner
from . import money, plans
from .models import Attribution, Conversion, EntryKind, LedgerEntry, Refund, SaleKind

CHUNK = 500


@dataclass(frozen=True)
class Sale:
    """A payment that is new to the hub; its amount is what was paid, without VAT."""

    external_id: str
    occurred_at: datetime
    partner_id: int
    amount_minor: int
    currency: str
    product: str
    kind: SaleKind = SaleKind.SALE
    attribution: Attribution = Attribution.LINK
    coupon_id: int | None = None
    coupon: str | None = None
    source: str = "shop"
    click_id: str | None = None


@dataclass(frozen=True)
class PaidBack:
    """A refund that is new to the hub; `total_minor` is what the customer has got back altogether."""

    external_id: str
    occurred_at: datetime
    total_minor: int
    source: str = "shop"


def lock(partner_ids: Iterable[int]) -> list[Partner]:
    """The partners, locked in one order: two bookings for the same one happen one after the other."""
    ids = sorted(set(partner_ids))
    found: list[Partner] = []
    for part in chunks(ids):
        statement = (
            select(Partner).where(Partner.id.in_(part)).order_by(Partner.id).with_for_update(key_share=True)
        )
        found += db.session.scalars(statement.execution_options(populate_existing=True))
    return found


def book_sales(sales: Sequence[Sale], *, import_id: int | None = None) -> list[int]:
    """Book sales in the order of their time; ids of their conversions in that order.

    Each is counted at the level the partner had at that moment; the sale that
    reaches a threshold raises the level for those that follow.
    """
    if not sales:
        return []
    sales = sorted(sales, key=lambda each: each.occurred_at)
    standings = levels.standings(lock(each.partner_id for each in sales))
    versions, counts = plans.load(), _counts(sales)
    conversions, entries = [], []
    for sale in sales:
        standing, year = standings[sale.partner_id], months.day_of(sale.occurred_at).year
        standing.begin_by(sale.occurred_at)
        standing.reset_for(year)
        tier = standing.tier_at(sale.occurred_at)
        plan = versions.at(tier, sale.occurred_at)
        conversions.append(_conversion(sale, import_id))
        entries.append(_commission(sale, tier, plan))
        if sale.kind is SaleKind.SALE:
            count = counts.setdefault((sale.partner_id, year), _Count())
            count.add(sale.occurred_at)
            standing.earn(count.sales, count.latest)
    ids = _insert(Conversion, conversions)
    _insert(LedgerEntry, [entry | {"conversion_id": id} for entry, id in zip(entries, ids, strict=True)])
    return ids


def _conversion(sale: Sale, import_id: int | None) -> dict[str, Any]:
    return {
        "source": sale.source,
        "external_id": sale.external_id,
        "partner_id": sale.partner_id,
        "kind": sale.kind,
        "occurred_at": sale.occurred_at,
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "product": sale.product,
        "attribution": sale.attribution,
        "coupon_id": sale.coupon_id,
        "click_id": sale.click_id,
        "refunded_minor": 0,
        "import_id": import_id,
        "created_at": clock.now(),
    }


def _commission(sale: Sale, tier: Any, plan: Any) -> dict[str, Any]:
    return {
        "partner_id": sale.partner_id,
        "kind": EntryKind.COMMISSION,
        "currency": sale.currency,
        "amount_minor": money.commission(sale.amount_minor, plan.rate_bp),
        "occurred_at": sale.occurred_at,
        "available_at": months.after_days(sale.occurred_at, plan.hold_days),
        "plan_id": plan.id,
        "created_at": clock.now(),
        "snapshot": {
            "order": sale.external_id,
            "product": sale.product,
            "coupon": sale.coupon,
            "renewal": sale.kind is SaleKind.RENEWAL,
            "sold_at": sale.occurred_at.isoformat(),
            "base": sale.amount_minor,
            "rate_bp": plan.rate_bp,
            "hold_days": plan.hold_days,
            "tier": tier.key,
            "tier_names": tier.names,
        },
    }


class _Count:
    """A partner's sales of a calendar year, and the time of the latest."""

    def __init__(self, sales: int = 0, latest: datetime | None = None) -> None:
        self.sales, self._latest = sales, latest

    def add(self, moment: datetime) -> None:
        self.sales += 1
        self._latest = max(moment, self._latest or moment)

    @property
    def latest(self) -> datetime:
        assert self._latest is not None
        return self._latest


def _counts(sales: Sequence[Sale]) -> dict[tuple[int, int], _Count]:
    """What has been counted before, by partner and year."""
    found = {}
    for year in {months.day_of(sale.occurred_at).year for sale in sales}:
        start, end = months.year_bounds(year)
        rows = (
            select(Conversion.partner_id, func.count(), func.max(Conversion.occurred_at))
            .where(counted(), Conversion.occurred_at >= start, Conversion.occurred_at < end)
            .group_by(Conversion.partner_id)
        )
        for partner_id, count, latest in db.session.execute(rows):
            found[partner_id, year] = _Count(count, latest)
    return found


def counted() -> Any:
    """Condition of the sales that count towards a level: first payments that were not refunded in full."""
    return (Conversion.kind == SaleKind.SALE) & (Conversion.refunded_minor < Conversion.amount_minor)


def book_refunds(refunds: Sequence[PaidBack], *, import_id: int | None = None) -> None:
    """Take back what refunds of booked sales cost, in the order of their time."""
    if not refunds:
        return
    refunds = sorted(refunds, key=lambda each: (each.external_id, each.total_minor))
    conversions = find(refunds[0].source, {each.external_id for each in refunds})
    originals, taken = _originals([each.id for each in conversions.values()])
    rows, entries = [], []
    for refund in refunds:
        sale = conversions[refund.external_id]
        part = refund.total_minor - sale.refunded_minor
        entry = _reversal(sale, originals[sale.id], taken.get(sale.id, 0), refund, part)
        taken[sale.id] = taken.get(sale.id, 0) - entry["amount_minor"]
        sale.refunded_minor = refund.total_minor
        rows.append(
            {
                "conversion_id": sale.id,
                "occurred_at": refund.occurred_at,
                "amount_minor": part,
                "total_minor": refund.total_minor,
                "import_id": import_id,
            }
        )
        entries.append(entry)
    db.session.flush()
    _insert(Refund, rows)
    _insert(LedgerEntry, sorted(entries, key=lambda each: each["occurred_at"]))


def _reversal(
    sale: Conversion, original: LedgerEntry, taken: int, refund: PaidBack, part: int
) -> dict[str, Any]:
    is_last = refund.total_minor == sale.amount_minor
    amount = money.reversal(original.amount_minor, taken, part, sale.amount_minor, is_last=is_last)
    kept = ("order", "product", "base", "rate_bp", "tier", "tier_names", "sold_at")
    return {
        "partner_id": sale.partner_id,
        "kind": EntryKind.REVERSAL,
        "currency": sale.currency,
        "amount_minor": amount,
        "occurred_at": refund.occurred_at,
        # While the sale is on hold the refund lowers what is pending; afterwards it counts at once.
        "available_at": max(original.available_at, refund.occurred_at),
        "conversion_id": sale.id,
        "reverses_id": original.id,
        "plan_id": original.plan_id,
        "created_at": clock.now(),
        "snapshot": {key: original.snapshot.get(key) for key in kept}
        | {"refunded": part, "commission": original.amount_minor, "taken": taken, "last": is_last},
    }


def find(source: str, external_ids: Iterable[str]) -> dict[str, Conversion]:
    """Booked sales by their numbers."""
    found: dict[str, Conversion] = {}
    for part in chunks(sorted(external_ids)):
        statement = select(Conversion).where(Conversion.source == source, Conversion.external_id.in_(part))
        found |= {each.external_id: each for each in db.session.scalars(statement)}
    return found


def _originals(conversion_ids: list[int]) -> tuple[dict[int, LedgerEntry], dict[int, int]]:
    """The commission of each sale, and what refunds took of it so far."""
    originals: dict[int, LedgerEntry] = {}
    taken: dict[int, int] = {}
    for part in chunks(conversion_ids):
        for entry in db.session.scalars(select(LedgerEntry).where(LedgerEntry.conversion_id.in_(part))):
            sale_id = entry.conversion_id or 0
            if entry.kind is EntryKind.COMMISSION:
                originals[sale_id] = entry
            elif entry.kind is EntryKind.REVERSAL:
                taken[sale_id] = taken.get(sale_id, 0) - entry.amount_minor
    return originals, taken


def add(
    partner: Partner, kind: EntryKind, amount_minor: int, currency: str, *, reason: str, actor: Any
) -> LedgerEntry:
    """Add a bonus or an adjustment, available at once."""
    moment = clock.now()
    entry = LedgerEntry(
        partner_id=partner.id,
        kind=kind,
        amount_minor=amount_minor,
        currency=currency,
        occurred_at=moment,
        available_at=moment,
        snapshot={"reason": reason, "by": actor.name},
    )
    db.session.add(entry)
    db.session.flush()
    return entry


def _insert(model: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Insert many rows in few statements; their ids in the same order."""
    return (
        list(db.session.scalars(insert(model).returning(model.id, sort_by_parameter_order=True), rows))
        if rows
        else []
    )


def chunks(values: list[Any]) -> Iterable[list[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
