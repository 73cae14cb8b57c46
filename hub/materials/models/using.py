"""What materials are used for, in sums that the worker keeps: nobody counts clicks to see a page."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from ...core import clock
from ...core.access import Permission, can, visibility
from ...core.database import db
from ...partners.models import own_partner_ids


class AssetUse(db.Model):
    """A partner's use of a material on a day of the programme; nobody's is that of codes without a partner."""

    __table_args__ = (
        UniqueConstraint("asset_id", "partner_id", "day"),
        Index("ix_asset_use_partner_id_day", "partner_id", "day"),
        Index("ix_asset_use_day", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"))
    day: Mapped[date]
    views: Mapped[int] = mapped_column(default=0)  # of the picture or banner on other sites
    downloads: Mapped[int] = mapped_column(default=0)  # once per person and version
    visits: Mapped[int] = mapped_column(default=0)  # clicks without robots and repeats


class Placement(db.Model):
    """A site on which a partner's code or link stands, as browsers say."""

    __table_args__ = (
        UniqueConstraint("asset_id", "partner_id", "site"),
        Index("ix_placement_partner_id", "partner_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"))
    site: Mapped[str]  # host only
    views: Mapped[int] = mapped_column(default=0)
    visits: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_at: Mapped[datetime] = mapped_column(default=clock.now)


class Basis(StrEnum):
    """Why a sale counts for a material."""

    CLICK = "click"  # the shop named the click
    AFTER = "after"  # the last visitor of that partner before the sale came through it
    NONE = "none"  # it counts for no material


class SaleCredit(db.Model):
    """The one material that a sale counts for. Amounts are the ledger's and are not kept twice."""

    __table_args__ = (
        Index("ix_sale_credit_asset_id_day", "asset_id", "day"),
        Index("ix_sale_credit_partner_id_day", "partner_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversion_id: Mapped[int] = mapped_column(ForeignKey("conversion.id"), unique=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    basis: Mapped[Basis]
    is_renewal: Mapped[bool] = mapped_column(default=False)  # earns, and is no conversion
    day: Mapped[date]  # of the sale, in the programme's time zone


class CountedFile(db.Model):
    """A file of the journal whose views are in the sums already, for a worker that died before it deleted it."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)


def _own(statement: Select[Any], user: Any) -> Select[Any]:
    model = statement.column_descriptions[0]["entity"]
    if can(user, Permission.EARNINGS_VIEW):
        return statement
    if can(user, Permission.PARTNERS_OWN):
        return statement.where(model.partner_id.in_(own_partner_ids(user)))
    return statement.where(false())


for _model in (AssetUse, Placement, SaleCredit):
    visibility(_model)(_own)
