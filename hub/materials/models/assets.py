"""Promo campaigns, assets and their versions."""

import secrets
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Select,
    UniqueConstraint,
    and_,
    bindparam,
    false,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ...accounts.models import User
from ...core import clock, i18n
from ...core.access import Permission, can, visibility, visible
from ...core.database import db
from ...core.i18n import _l
from ...core.settings import settings
from ...partners import groups
from ...partners.models import Membership, Partner, PartnerStatus


class Kind(StrEnum):
    IMAGE = "image"
    ANIMATED = "animated"
    VIDEO = "video"
    DOCUMENT = "document"
    TEXT = "text"
    HTML = "html"


KINDS = {
    Kind.IMAGE: _l("Banners"),
    Kind.ANIMATED: _l("Animated banners"),
    Kind.VIDEO: _l("Videos"),
    Kind.TEXT: _l("Ready texts"),
    Kind.DOCUMENT: _l("Documents"),
    Kind.HTML: _l("HTML5 banners"),
}


class Genre(StrEnum):
    """What a ready text is written for."""

    POST = "post"
    MAIL = "mail"
    REVIEW = "review"


GENRES = {Genre.POST: _l("Post"), Genre.MAIL: _l("Mail"), Genre.REVIEW: _l("Product review")}


class Status(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Visibility(StrEnum):
    ALL = "all"  # every partner
    CHOSEN = "chosen"  # partners of some levels, or with some tags
    STAFF = "staff"


class ThumbnailState(StrEnum):
    NONE = "none"  # not a picture
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Campaign(db.Model):
    """What assets are made for: “Black Friday”."""

    id: Mapped[int] = mapped_column(primary_key=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)  # locale → name; English is always there
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def name(self) -> str:
        """In the reader's language, or in English."""
        return self.names.get(i18n.locale()) or self.names.get("en") or "–"


class Asset(db.Model):
    """Something a partner may use. What it shows is its current version."""

    __table_args__ = (
        Index("ix_asset_released_at_id", "released_at", "id"),
        Index("ix_asset_uses_id", "uses", "id"),
        Index("ix_asset_earned_id", "earned", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: In addresses that partners place on their sites: stable, and not countable.
    public_id: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_hex(6))
    kind: Mapped[Kind]
    status: Mapped[Status] = mapped_column(default=Status.PUBLISHED)
    title: Mapped[str]
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"), index=True)
    locale: Mapped[str | None]  # None: fits every language
    width: Mapped[int | None]  # of the current version
    height: Mapped[int | None]
    rights: Mapped[str | None]
    landing: Mapped[str | None]  # path on the programme's site that links lead to
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.ALL)
    #: Partners who see it ask before they use it.
    needs_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    zone: Mapped[str | None]  # in which its days begin and end; None: the programme's
    genre: Mapped[Genre | None]  # of a ready text
    colour: Mapped[str | None]  # the family of the current version's main colour
    new_told_at: Mapped[datetime | None]  # when partners were told that it is there
    ending_told_at: Mapped[datetime | None]  # when its users were told that it ends
    replacement_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    uses: Mapped[int] = mapped_column(default=0)  # downloads counted so far
    #: What it has earned partners in all currencies, in thousandths of a usual sale's commission, see `crediting`.
    earned: Mapped[int] = mapped_column(default=0)
    is_stale: Mapped[bool] = mapped_column(
        default=True, index=True
    )  # the search index does not know it as it is
    is_indexed: Mapped[bool] = mapped_column(default=False)  # is it in the search index at all?
    released_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    campaign: Mapped[Campaign | None] = relationship()
    replacement: Mapped["Asset | None"] = relationship(remote_side=[id])
    tag_rows: Mapped[list["AssetTag"]] = relationship(cascade="all, delete-orphan", order_by="AssetTag.tag")
    reader_rows: Mapped[list["AssetReader"]] = relationship(
        cascade="all, delete-orphan", order_by="AssetReader.token"
    )
    versions: Mapped[list["AssetVersion"]] = relationship(
        back_populates="asset", order_by="AssetVersion.number"
    )
    #: The one in use; older ones stay reproducible.
    current: Mapped["AssetVersion"] = relationship(
        primaryjoin="and_(AssetVersion.asset_id == Asset.id, AssetVersion.is_current)",
        viewonly=True,
        uselist=False,
    )

    @property
    def tags(self) -> list[str]:
        return [row.tag for row in self.tag_rows]

    @tags.setter
    def tags(self, names: list[str]) -> None:
        kept = {row.tag: row for row in self.tag_rows}
        self.tag_rows = [kept.get(name) or AssetTag(tag=name) for name in sorted(set(names))]

    @property
    def readers(self) -> list[str]:
        """Of an asset for chosen partners: `tier:gold`, `tag:video`."""
        return [row.token for row in self.reader_rows]

    @readers.setter
    def readers(self, tokens: list[str]) -> None:
        kept = {row.token: row for row in self.reader_rows}
        self.reader_rows = [kept.get(token) or AssetReader(token=token) for token in sorted(set(tokens))]

    @property
    def is_open(self) -> bool:
        """May every partner use it without asking? Then its address need not name one."""
        return self.visibility is Visibility.ALL and not self.needs_approval

    @property
    def time_zone(self) -> str:
        """The zone its days of use are counted in."""
        return self.zone or settings.programme_timezone

    @property
    def is_picture(self) -> bool:
        return self.kind in (Kind.IMAGE, Kind.ANIMATED)

    @property
    def size(self) -> str | None:
        """“300 × 250”, or None for what has no size."""
        return f"{self.width} × {self.height}" if self.width else None

    @property
    def first_day(self) -> date | None:
        """The first day it may be used on, in its zone."""
        return self.valid_from and self.valid_from.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def last_day(self) -> date | None:
        """The last day it may be used on, in its zone."""
        if self.valid_until is None:
            return None
        return (self.valid_until - timedelta(seconds=1)).astimezone(ZoneInfo(self.time_zone)).date()

    def is_valid(self) -> bool:
        """May it be used today?"""
        now = clock.now()
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or self.valid_until > now)


class AssetTag(db.Model):
    __table_args__ = (UniqueConstraint("asset_id", "tag"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"))
    tag: Mapped[str] = mapped_column(index=True)


class AssetReader(db.Model):
    """A group of partners that an asset for chosen partners is for; belonging to one of them is enough."""

    __table_args__ = (UniqueConstraint("asset_id", "token"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"))
    token: Mapped[str] = mapped_column(index=True)
    needle: Mapped[str]  # a tag as it stands in the list of a partner's tags; empty for a level

    @validates("token")
    def _needle(self, _key: str, token: str) -> str:
        self.needle = groups.needle(token)
        return token


class AssetVersion(db.Model):
    """A file as it was uploaded, or a ready text as it was written. Never changed afterwards."""

    __table_args__ = (
        UniqueConstraint("asset_id", "number"),
        # One version of an asset is in use, never two.
        Index(
            "uq_asset_version_current",
            "asset_id",
            unique=True,
            sqlite_where=text("is_current"),
            postgresql_where=text("is_current"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    number: Mapped[int] = mapped_column(default=1)
    is_current: Mapped[bool] = mapped_column(default=True)
    key: Mapped[str | None]  # in the storage; None for a text
    text: Mapped[str | None]
    sha256: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]  # bytes
    mime: Mapped[str]
    filename: Mapped[str]
    width: Mapped[int | None]
    height: Mapped[int | None]
    duration_ms: Mapped[int | None]  # of videos and animations
    #: "#0b5a66", the most frequent first; None: nobody has looked yet.
    colours: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    thumbnail_state: Mapped[ThumbnailState] = mapped_column(default=ThumbnailState.NONE, index=True)
    thumbnail_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    asset: Mapped[Asset] = relationship(back_populates="versions")
    author: Mapped[User | None] = relationship()


def usable_now() -> Any:
    """Condition: published and within its dates, when it is asked and not when the statement was built."""
    now = bindparam("usable_at", callable_=clock.now, type_=Asset.valid_from.type)
    return and_(
        Asset.status == Status.PUBLISHED,
        or_(Asset.valid_from.is_(None), Asset.valid_from <= now),
        or_(Asset.valid_until.is_(None), Asset.valid_until > now),
    )


def for_partners(*conditions: Any) -> Any:
    """Condition: usable by a partner that the further `conditions` on Partner describe."""
    chosen = (
        select(AssetReader.asset_id)
        .join(Partner, groups.has_group(AssetReader.token, AssetReader.needle))
        .where(Partner.status == PartnerStatus.ACTIVE, *conditions)
    )
    for_some = and_(Asset.visibility == Visibility.CHOSEN, Asset.id.in_(chosen))
    return and_(usable_now(), or_(Asset.visibility == Visibility.ALL, for_some))


@visibility(Asset)
def _assets(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.MATERIALS_MANAGE):
        return statement
    if can(user, Permission.PARTNERS_OWN):
        return statement.where(
            for_partners(Membership.partner_id == Partner.id, Membership.user_id == user.id)
        )
    if can(user, Permission.MATERIALS_VIEW):  # the team that does not manage materials
        return statement.where(usable_now())
    return statement.where(false())


@visibility(Campaign)
def _campaigns(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.MATERIALS_MANAGE):
        return statement
    if can(user, Permission.MATERIALS_VIEW):  # of what is only being prepared, not even the name
        return statement.where(visible(select(Asset), user).where(Asset.campaign_id == Campaign.id).exists())
    return statement.where(false())
