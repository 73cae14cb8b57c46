"""Partner organisations, their members, levels and referral codes."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from ..core.i18n import locale


class PartnerStatus(StrEnum):
    APPLIED = "applied"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class PartnerKind(StrEnum):
    COMPANY = "company"
    INDIVIDUAL = "individual"


class MemberRole(StrEnum):
    OWNER = "owner"
    MEMBER = "member"


class Tier(db.Model):
    """A level of the programme: Bronze, Silver, Gold."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # "silver"
    names: Mapped[dict[str, str]] = mapped_column(JSON)  # locale → name
    order: Mapped[int]
    rate_bp: Mapped[int]  # commission in basis points
    sales_from: Mapped[int]  # sales in a calendar year that lead here

    @property
    def name(self) -> str:
        """The level's name in the reader's language."""
        return self.names.get(locale()) or self.names["en"]


class Partner(db.Model):
    """An organisation (or one person) that promotes the product."""

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)  # public, upper case, never reused
    name: Mapped[str]
    folded: Mapped[str] = mapped_column(
        default=""
    )  # the name without case, for search and order in any script
    kind: Mapped[PartnerKind] = mapped_column(default=PartnerKind.COMPANY)
    status: Mapped[PartnerStatus] = mapped_column(default=PartnerStatus.ACTIVE, index=True)
    country: Mapped[str]  # ISO 3166 alpha-2
    locale: Mapped[str] = mapped_column(default="en")
    time_zone: Mapped[str] = mapped_column(default="Europe/Oslo")
    currency: Mapped[str] = mapped_column(default="EUR")  # ISO 4217
    website: Mapped[str | None]
    reach: Mapped[int | None]  # people a month
    audience: Mapped[str | None]
    channels: Mapped[list[str]] = mapped_column(JSON, default=list)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    contact: Mapped[str | None]  # what stands on materials in the partner's name: a telephone, an address
    logo_key: Mapped[str | None]  # in the storage, a PNG
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))  # the present one
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: When an application was approved; None for who came otherwise, or before this was kept.
    approved_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    manager: Mapped[User | None] = relationship()
    tier: Mapped[Tier | None] = relationship()
    memberships: Mapped[list["Membership"]] = relationship(back_populates="partner", order_by="Membership.id")

    __table_args__ = (
        # The orders of the list, each with the id as its last key.
        Index("ix_partner_list_joined", "joined_at", "id"),
        Index("ix_partner_list_name", "folded", "id"),
        Index("ix_partner_country", "country"),
        Index("ix_partner_tier_id", "tier_id"),
    )

    @validates("code")
    def _upper(self, _key: str, value: str) -> str:
        return value.strip().upper()

    @validates("name")
    def _fold(self, _key: str, value: str) -> str:
        self.folded = value.casefold()
        return value


class Membership(db.Model):
    """A user's place in a partner organisation. An active partner keeps an owner."""

    __table_args__ = (UniqueConstraint("partner_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    role: Mapped[MemberRole] = mapped_column(default=MemberRole.MEMBER)

    partner: Mapped[Partner] = relationship(back_populates="memberships")
    user: Mapped[User] = relationship()


class TierCause(StrEnum):
    """Why a partner came to a level."""

    START = "start"
    SALES = "sales"
    NEW_YEAR = "new_year"
    MANUAL = "manual"


class TierAssignment(db.Model):
    """A partner's level from one moment to another; the open one is the present.

    Intervals are half-open and never overlap: `levels.assign` ends the open one
    where the next begins, and the index lets no two be open at once.
    """

    __table_args__ = (
        UniqueConstraint("partner_id", "starts_at"),
        Index(
            "uq_tier_assignment_open",
            "partner_id",
            unique=True,
            sqlite_where=text("ends_at IS NULL"),
            postgresql_where=text("ends_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    cause: Mapped[TierCause]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    tier: Mapped[Tier] = relationship()


class Coupon(db.Model):
    """A word a customer types at checkout: a discount for them, a sale for the partner."""

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)  # always upper case: customers may type it as they like
    discount_bp: Mapped[int] = mapped_column(default=1000)
    starts_at: Mapped[datetime] = mapped_column(default=clock.now)
    ends_at: Mapped[datetime | None]
    note: Mapped[str | None]

    partner: Mapped[Partner] = relationship()

    @validates("code")
    def _upper(self, _key: str, value: str) -> str:
        return value.strip().upper()

    def is_valid_at(self, moment: datetime) -> bool:
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


class ShortLink(db.Model):
    """A partner's link in a few letters: for paper, for a caption, for reading out."""

    __table_args__ = (Index("ix_short_link_same", "partner_id", "through"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"))
    through: Mapped[str | None]  # public id of the material that carries it
    query: Mapped[str]  # "to=/pricing&utm_source=blog"
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


def own_partner_ids(user: Any) -> Select[Any]:
    """Subquery: ids of the partners `user` belongs to. Other rooms filter with it."""
    return select(Membership.partner_id).where(Membership.user_id == user.id)


@visibility(Partner)
def _partners(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.PARTNERS_VIEW):
        return statement
    if can(user, Permission.PARTNERS_OWN):
        return statement.where(Partner.id.in_(own_partner_ids(user)))
    return statement.where(false())
