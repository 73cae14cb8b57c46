"""Who took what, who likes what, and the kits people put together."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, and_, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ...accounts.models import User
from ...core import clock
from ...core.access import Permission, can, visibility, visible
from ...core.database import db
from ...partners.models import Partner
from .assets import Asset, AssetVersion


class Download(db.Model):
    """Someone took a version; counted once per person and version."""

    __table_args__ = (
        UniqueConstraint("version_id", "user_id"),
        Index("ix_download_at_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"))
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)  # None: staff
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)

    version: Mapped[AssetVersion] = relationship()
    partner: Mapped[Partner | None] = relationship()
    user: Mapped[User] = relationship()


class Favourite(db.Model):
    """A material someone wants to find again."""

    __table_args__ = (UniqueConstraint("user_id", "asset_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)


class Kit(db.Model):
    """Materials that are taken together. The team's shared ones are there for every partner."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    is_shared: Mapped[bool] = mapped_column(default=False, index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship()


class KitItem(db.Model):
    """A material in a kit; who may no longer see it does not get it."""

    __table_args__ = (UniqueConstraint("kit_id", "asset_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kit_id: Mapped[int] = mapped_column(ForeignKey("kit.id", ondelete="CASCADE"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)

    asset: Mapped[Asset] = relationship()


@visibility(Kit)
def _kits(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.MATERIALS_VIEW):
        # Of a shared one with nothing in it for this person, not even the name is shown.
        has_something = (
            visible(select(Asset), user)
            .join(KitItem, KitItem.asset_id == Asset.id)
            .where(KitItem.kit_id == Kit.id)
            .correlate(Kit)
            .exists()
        )
        return statement.where(or_(Kit.user_id == user.id, and_(Kit.is_shared, has_something)))
    return statement.where(false())


@visibility(Download)
def _downloads(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.MATERIALS_MANAGE) else statement.where(false())
