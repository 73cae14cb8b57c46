"""Which material a sale counts for: one at most, so that what materials earned never exceeds what partners did.

- The shop named the click (`click_id` of a sale): its material, if the click came through the partner whose sale it is, for a
  first payment in the 60 days before.
- The shop named none, and the sale is a first payment by link: the material through which the last visitor of that
  partner came in the 60 days before. That is an assumption and shown as such.
- A coupon's sale and a renewal without a click count for no material: nothing says which it was.

What a sale earned is asked of the ledger whenever it is shown, so refunds are taken off and the sums agree with it.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, func, insert, select, update

from ..core import months
from ..core.database import db, transaction
from ..earnings.models import Attribution, Conversion, EntryKind, LedgerEntry, SaleKind
from .models import Asset, Basis, Click, ClickKind, SaleCredit

CREDIT = "materials.credit"
#: How long before a sale a visit may lie, as the programme's terms say.
WINDOW = timedelta(days=60)
#: Imports may end in another order than they began: so far back is looked for sales that came late.
_LATE = 20_000
_BATCH = 500
#: What a sale moves in the ledger.
MONEY = (EntryKind.COMMISSION, EntryKind.REVERSAL)
_LAST_VISIT = (
    select(Click.asset_id)
    .where(
        Click.partner_id == bindparam("partner_id"),
        Click.kind == ClickKind.VISIT,
        Click.at <= bindparam("sold_at"),
        Click.at > bindparam("since"),
    )
    .order_by(Click.at.desc(), Click.id.desc())
    .limit(1)
)


def credit() -> int:
    """Find the material of every sale that has none yet, then say anew which earn best; how many sales."""
    found = 0
    while True:
        with transaction():
            done = credit_some()
        found += done
        if done < _BATCH:
            break
    with transaction():
        rank()
    return found


def credit_some() -> int:
    """Find the material of some sales that have none yet; how many."""
    newest = db.session.scalar(select(func.max(SaleCredit.conversion_id))) or 0
    open_sales = (
        select(Conversion)
        .outerjoin(SaleCredit, SaleCredit.conversion_id == Conversion.id)
        .where(SaleCredit.id.is_(None), Conversion.id > newest - _LATE)
        .order_by(Conversion.id)
        .limit(_BATCH)
    )
    sales = list(db.session.scalars(open_sales))
    clicks = _clicks([sale.click_id for sale in sales if sale.click_id])
    rows = [_row(sale, clicks) for sale in sales]
    if rows:
        db.session.execute(insert(SaleCredit), rows)
    return len(rows)


def _clicks(uids: list[str]) -> dict[str, Click]:
    """The clicks that shops named."""
    return {click.uid: click for click in db.session.scalars(select(Click).where(Click.uid.in_(uids)))}


def _row(sale: Conversion, clicks: dict[str, Click]) -> dict[str, Any]:
    click = clicks.get(sale.click_id or "")
    basis, asset_id = Basis.CLICK, click.asset_id if click else None
    if click is None or click.partner_id != sale.partner_id or _is_late(sale, click):
        asset_id = _last_used(sale.partner_id, sale.occurred_at) if _may_be_assumed(sale) else None
        basis = Basis.AFTER
    return {
        "conversion_id": sale.id,
        "partner_id": sale.partner_id,
        "asset_id": asset_id,
        "basis": basis if asset_id else Basis.NONE,
        "is_renewal": sale.kind is SaleKind.RENEWAL,
        "day": months.day_of(sale.occurred_at),
    }


def _is_late(sale: Conversion, click: Click) -> bool:
    """Was it too long before a first payment? Renewals name the click that once brought the customer."""
    return sale.kind is SaleKind.SALE and click.at <= sale.occurred_at - WINDOW


def _may_be_assumed(sale: Conversion) -> bool:
    return sale.kind is SaleKind.SALE and sale.attribution is Attribution.LINK


def _last_used(partner_id: int, moment: datetime) -> int | None:
    """The material of the partner's last visitor; None when that one came by a link without a material."""
    values = {"partner_id": partner_id, "sold_at": moment, "since": moment - WINDOW}
    return db.session.scalar(_LAST_VISIT, values)


# --- Which earn best -------------------------------------------------------


def rank() -> None:
    """Bring `Asset.earned` up to date; only what changed is written.

    Currencies are not summed. Each is measured by its own usual commission, the mean of a sale, so that a material
    with five usual sales in złoty stands beside one with five in euro.
    """
    usual = {
        currency: float(mean)
        for currency, mean in db.session.execute(
            select(LedgerEntry.currency, func.avg(LedgerEntry.amount_minor))
            .where(LedgerEntry.kind == EntryKind.COMMISSION)
            .group_by(LedgerEntry.currency)
        )
    }
    earned: dict[int, float] = defaultdict(float)
    for asset_id, currency, minor, _sales in db.session.execute(
        money().where(SaleCredit.asset_id.is_not(None)).group_by(SaleCredit.asset_id, LedgerEntry.currency)
    ):
        earned[asset_id] += float(minor) / (usual.get(currency) or 1)
    now = {asset_id: round(value * 1000) for asset_id, value in earned.items()}
    before = dict(iter(db.session.execute(select(Asset.id, Asset.earned).where(Asset.earned != 0))))
    changed = [
        {"row": id, "value": now.get(id, 0)} for id in {*now, *before} if now.get(id, 0) != before.get(id, 0)
    ]
    if changed:
        table: Any = Asset.__table__
        # Nothing that search or the gallery's counts know of has changed.
        statement = (
            update(table)
            .where(table.c.id == bindparam("row"))
            .values(earned=bindparam("value"), updated_at=table.c.updated_at)
        )
        db.session.connection().execute(statement, changed)


def money(*columns: Any) -> Any:
    """Σ of what credited sales moved in the ledger, and their number, by material and currency unless other columns are named."""
    return (
        select(
            *(columns or (SaleCredit.asset_id,)),
            LedgerEntry.currency,
            func.sum(LedgerEntry.amount_minor),
            func.sum(case((LedgerEntry.kind == EntryKind.COMMISSION, 1), else_=0)),
        )
        .select_from(SaleCredit)
        .join(LedgerEntry, LedgerEntry.conversion_id == SaleCredit.conversion_id)
        .where(LedgerEntry.kind.in_(MONEY))
    )
