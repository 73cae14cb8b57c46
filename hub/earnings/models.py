"""Sales, commission plans, the append-only ledger, statements and payouts.

Money is integer minor units beside an ISO 4217 currency, rates are basis points.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Select, UniqueConstraint, event, false, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _l
from ..core.imports import FileImport
from ..partners.models import Coupon, Partner, Tier, own_partner_ids


class WrittenOnce(HubError):
    """The ledger and the plans it was counted by are never rewritten."""

    message = _l("What is in the ledger stays as it is. Add a correction instead.")


class CommissionPlan(db.Model):
    """A version of a level's rate. A change is a new version from a moment on, never backwards."""

    __table_args__ = (UniqueConstraint("tier_id", "effective_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    rate_bp: Mapped[int]
    hold_days: Mapped[int] = mapped_column(default=30)
    effective_from: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    tier: Mapped[Tier] = relationship()


class SaleKind(StrEnum):
    SALE = "sale"  # a customer's first payment: counts towards a level
    RENEWAL = "renewal"


class Attribution(StrEnum):
    LINK = "link"
    COUPON = "coupon"
    MANUAL = "manual"


class Conversion(db.Model):
    """A payment of a customer that a partner brought."""

    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_conversion_partner_time", "partner_id", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]  # the shop's order number
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    kind: Mapped[SaleKind] = mapped_column(default=SaleKind.SALE)
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # what was paid, without VAT
    currency: Mapped[str]
    product: Mapped[str]
    attribution: Mapped[Attribution]
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupon.id"))
    click_id: Mapped[str | None]  # the `click` that our link gave the shop, as the shop names it
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # so far
    import_id: Mapped[int | None] = mapped_column(ForeignKey("file_import.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    partner: Mapped[Partner] = relationship()
    coupon: Mapped[Coupon | None] = relationship()
    file: Mapped[FileImport | None] = relationship()


class Refund(db.Model):
    """Money a customer got back, and how much of the sale that makes altogether."""

    __table_args__ = (UniqueConstraint("conversion_id", "total_minor"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversion_id: Mapped[int] = mapped_column(ForeignKey("conversion.id"))
    occurred_at: Mapped[datetime]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    total_minor: Mapped[int] = mapped_column(BigInteger)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("file_import.id"))


class EntryKind(StrEnum):
    COMMISSION = "commission"
    BONUS = "bonus"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    PAYOUT = "payout"


class LedgerEntry(db.Model):
    """A line of a partner's account. Only its statement and its payout are filled in later, once."""

    __table_args__ = (
        Index("ix_ledger_entry_list", "partner_id", "currency", "occurred_at", "id"),
        Index("ix_ledger_entry_unpaid", "partner_id", "currency", "payout_id"),
        Index("ix_ledger_entry_open", "statement_id", "occurred_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    kind: Mapped[EntryKind]
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # signed: what is taken away is negative
    currency: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(index=True)  # of the sale, the refund, the payout
    available_at: Mapped[datetime]  # when the hold ends
    conversion_id: Mapped[int | None] = mapped_column(ForeignKey("conversion.id"), index=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("commission_plan.id"), index=True)
    snapshot: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict
    )  # what it was counted from, see `explaining`
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("statement.id"))
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("payout.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    partner: Mapped[Partner] = relationship()
    conversion: Mapped[Conversion | None] = relationship()


class Statement(db.Model):
    """A month of a partner in one currency, frozen: everything that was added to the account."""

    __table_args__ = (UniqueConstraint("partner_id", "currency", "month"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    currency: Mapped[str]
    month: Mapped[date]  # its first day, in the programme's time zone
    total_minor: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[datetime] = mapped_column(default=clock.now)

    partner: Mapped[Partner] = relationship()


class Payout(db.Model):
    """A transfer to a partner."""

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    paid_at: Mapped[datetime]

    partner: Mapped[Partner] = relationship()


_FILLED_IN_LATER = {"statement_id", "payout_id"}


@event.listens_for(LedgerEntry, "before_update")
@event.listens_for(CommissionPlan, "before_update")
def _refuse_change(_mapper: Mapper[Any], _connection: Any, row: Any) -> None:
    for attribute in inspect(row).attrs:
        before = attribute.history.deleted
        if attribute.history.has_changes() and (attribute.key not in _FILLED_IN_LATER or any(before)):
            raise WrittenOnce


@event.listens_for(LedgerEntry, "before_delete")
@event.listens_for(CommissionPlan, "before_delete")
def _refuse_removal(_mapper: Mapper[Any], _connection: Any, _row: Any) -> None:
    raise WrittenOnce


def _own(statement: Select[Any], user: Any) -> Select[Any]:
    model = statement.column_descriptions[0]["entity"]
    if can(user, Permission.EARNINGS_VIEW):
        return statement
    if can(user, Permission.EARNINGS_OWN):
        return statement.where(model.partner_id.in_(own_partner_ids(user)))
    return statement.where(false())


for _model in (Conversion, LedgerEntry, Statement, Payout):
    visibility(_model)(_own)
