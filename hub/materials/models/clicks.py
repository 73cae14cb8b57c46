"""Visitors whom partners' links brought."""

import secrets
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ...core import clock
from ...core.access import Permission, can, visibility
from ...core.database import db
from ...partners.models import own_partner_ids
from .assets import Asset


class ClickKind(StrEnum):
    VISIT = "visit"  # a person's, the first of the day
    REPEAT = "repeat"  # the same person through the same asset, the same day
    BOT = "bot"  # a program: a search engine, a messenger's preview, a link checker


class Click(db.Model):
    """A visitor followed a partner's link. Who it was is kept for two days as a fingerprint, then not at all."""

    __table_args__ = (
        Index("ix_click_partner_id_at", "partner_id", "at"),
        Index("ix_click_partner_id_day", "partner_id", "day"),
        Index("ix_click_asset_id_day", "asset_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Goes along to the programme's site, which names it with a sale.
    uid: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_urlsafe(12))
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    kind: Mapped[ClickKind] = mapped_column(default=ClickKind.VISIT)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    day: Mapped[date]  # in the programme's time zone
    link: Mapped[str | None]  # the page and marks asked for: "/pricing?utm_source=blog"
    referrer: Mapped[str | None]  # host only
    visitor: Mapped[str | None] = mapped_column(index=True)  # changes every day, for nobody to be followed

    asset: Mapped[Asset | None] = relationship()


@visibility(Click)
def _clicks(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.EARNINGS_VIEW):
        return statement
    if can(user, Permission.PARTNERS_OWN):
        return statement.where(Click.partner_id.in_(own_partner_ids(user)))
    return statement.where(false())
