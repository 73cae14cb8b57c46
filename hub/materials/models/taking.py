"""Who took what."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ...accounts.models import User
from ...core import clock
from ...core.access import Permission, can, visibility
from ...core.database import db
from ...partners.models import Partner
from .assets import AssetVersion


class Download(db.Model):
    """Someone took a version; counted once per person, version and day."""

    __table_args__ = (
        UniqueConstraint("version_id", "user_id", "day"),
        Index("ix_download_at_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)  # None: staff
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    day: Mapped[date]  # in UTC

    version: Mapped[AssetVersion] = relationship()
    partner: Mapped[Partner | None] = relationship()
    user: Mapped[User] = relationship()


@visibility(Download)
def _downloads(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.MATERIALS_MANAGE) else statement.where(false())
