"""Statistics of materials: views, downloads, visits, conversions and what came of them in money.

Everything is asked of the sums that the worker keeps; money is asked of the ledger, currency by currency.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, case, func, or_, select

from ..core.access import visible
from ..core.database import db
from ..earnings.models import LedgerEntry
from ..partners.models import Partner
from . import crediting
from .models import Asset, AssetUse, Basis, Campaign, Placement, SaleCredit, Status
from .visits import Span

#: What the table can be ordered by, most first.
ORDERS = ("earned", "conversions", "visits", "downloads", "views")
SITES = 20


@dataclass
class Sums:
    """What one material, or one partner, brought; money in minor units by currency."""

    id: int | None = None
    views: int = 0
    downloads: int = 0
    visits: int = 0
    conversions: int = 0
    assumed: int = 0  # conversions for which the shop named no click
    earned: dict[str, int] = field(default_factory=dict)
    rank: float = 0.0  # money in usual sales, for the order only

    @property
    def rate(self) -> float | None:
        """Conversions per visit, where there were visits."""
        return self.conversions / self.visits if self.visits else None


@dataclass(frozen=True)
class Question:
    """Whose use, of what, when; `by` is `asset` or `partner`."""

    user: Any
    days: Span
    by: str = "asset"
    asset_id: int | None = None
    partner_id: int | None = None

    def of(self, model: Any) -> Select[Any]:
        """Rows of AssetUse or SaleCredit that are meant."""
        statement = visible(select(model), self.user).where(
            model.day >= self.days.first, model.day <= self.days.last
        )
        return self.narrowed(statement, model)

    def narrowed(self, statement: Select[Any], model: Any) -> Select[Any]:
        if self.asset_id is not None:
            statement = statement.where(model.asset_id == self.asset_id)
        if self.partner_id is not None:
            statement = statement.where(model.partner_id == self.partner_id)
        return statement

    def column(self, model: Any) -> Any:
        return model.partner_id if self.by == "partner" else model.asset_id


def sums(question: Question, order: str = "earned") -> list[Sums]:
    """One for each material (or partner) with any use, in the order asked for; three statements, however many."""
    found: dict[int | None, Sums] = defaultdict(Sums)
    column = question.column(AssetUse)
    uses = question.of(AssetUse).with_only_columns(
        column,
        func.sum(AssetUse.views),
        func.sum(AssetUse.downloads),
        func.sum(AssetUse.visits),
        maintain_column_froms=True,
    )
    for id, views, downloads, visits in db.session.execute(uses.group_by(column)):
        found[id] = Sums(id, int(views), int(downloads), int(visits))
    _add_conversions(question, found)
    _add_money(question, found)
    rows = [row for id, row in found.items() if id is not None or question.by == "partner"]
    return sorted(rows, key=lambda row: (*_keys(row, order), row.id or 0), reverse=True)


def _keys(row: Sums, order: str) -> tuple[float, ...]:
    asked = row.rank if order == "earned" else getattr(row, order)
    return asked, row.rank, row.conversions, row.visits, row.downloads, row.views


def _add_conversions(question: Question, found: dict[int | None, Sums]) -> None:
    column = question.column(SaleCredit)
    statement = (
        question.of(SaleCredit)
        .where(SaleCredit.asset_id.is_not(None), SaleCredit.is_renewal.is_(False))
        .with_only_columns(
            column,
            func.count(),
            func.sum(case((SaleCredit.basis == Basis.AFTER, 1), else_=0)),
            maintain_column_froms=True,
        )
    )
    for id, count, assumed in db.session.execute(statement.group_by(column)):
        found[id].id, found[id].conversions, found[id].assumed = id, count, int(assumed)


def _add_money(question: Question, found: dict[int | None, Sums]) -> None:
    column = question.column(SaleCredit)
    meant = question.of(SaleCredit).where(SaleCredit.asset_id.is_not(None)).with_only_columns(SaleCredit.id)
    rows = list(
        db.session.execute(
            crediting.money(column).where(SaleCredit.id.in_(meant)).group_by(column, LedgerEntry.currency)
        )
    )
    brought: dict[str, int] = defaultdict(int)
    sales: dict[str, int] = defaultdict(int)
    for _id, currency, minor, count in rows:
        brought[currency] += int(minor)
        sales[currency] += int(count)
    for id, currency, minor, _count in rows:
        row = found[id]
        row.id, row.earned[currency] = id, int(minor)
        # A usual sale of these days in each currency stands in for exchange rates, which the hub does not have.
        row.rank += int(minor) * sales[currency] / brought[currency] if brought[currency] else 0


def total(rows: Iterable[Sums]) -> Sums:
    """All of them together, each currency on its own."""
    all = Sums()
    for row in rows:
        for name in ("views", "downloads", "visits", "conversions", "assumed"):
            setattr(all, name, getattr(all, name) + getattr(row, name))
        for currency, minor in row.earned.items():
            all.earned[currency] = all.earned.get(currency, 0) + minor
    return all


def assets(rows: list[Sums]) -> dict[int, Asset]:
    """The materials of one page."""
    return _by_id(Asset, rows)


def partners(rows: list[Sums]) -> dict[int, Partner]:
    """The partners of one page."""
    return _by_id(Partner, rows)


def _by_id(model: Any, rows: list[Sums]) -> dict[int, Any]:
    ids = [row.id for row in rows if row.id]
    return {each.id: each for each in db.session.scalars(select(model).where(model.id.in_(ids)))}


def facts(question: Question, *columns: Any) -> dict[int, Any]:
    """Columns of all materials (or partners) with any use, by id, however many they are: `columns` begin with the id."""
    used = [
        question.of(model).with_only_columns(question.column(model), maintain_column_froms=True)
        for model in (AssetUse, SaleCredit)
    ]
    statement = select(*columns).where(or_(*(columns[0].in_(ids) for ids in used)))
    if question.by == "asset":
        statement = statement.outerjoin(Campaign, Campaign.id == Asset.campaign_id)
    return {row[0]: row for row in db.session.execute(statement)}


# --- Where it stands, and what nobody uses ---------------------------------


def sites(question: Question) -> list[tuple[str, int, int, Any]]:
    """Sites on which codes and links stand: (site, views, visits, last seen), since the beginning."""
    statement = question.narrowed(visible(select(Placement), question.user), Placement)
    seen = func.max(Placement.last_at)
    weight = func.sum(Placement.views) + func.sum(Placement.visits)
    columns = (Placement.site, func.sum(Placement.views), func.sum(Placement.visits), seen)
    rows = db.session.execute(
        statement.with_only_columns(*columns, maintain_column_froms=True)
        .group_by(Placement.site)
        .order_by(weight.desc(), Placement.site)
        .limit(SITES)
    )
    return [(site, int(views), int(visits), last) for site, views, visits, last in rows]


def unused(question: Question) -> Select[Any]:
    """Published materials that nobody of those asked for used in these days."""
    statement = visible(select(Asset), question.user).where(Asset.status == Status.PUBLISHED)
    for model in (AssetUse, SaleCredit):
        uses = question.of(model).where(model.asset_id == Asset.id).with_only_columns(model.id)
        statement = statement.where(~uses.exists())
    return statement
