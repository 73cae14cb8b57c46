"""Partner organisations, their members, levels and referral codes."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Select, UniqueConstraint, false, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db


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


class Partner(db.Model):
    """An organisation (or one person) that promotes the product."""

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)  # public, upper case, never reused
    name: Mapped[str] = mapped_column(index=True)
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
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))  # the present one
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    manager: Mapped[User | None] = relationship()
    tier: Mapped[Tier | None] = relationship()
    memberships: Mapped[list["Membership"]] = relationship(back_populates="partner")


class Membership(db.Model):
    """A user's place in a partner organisation. An active partner keeps an owner."""

    __table_args__ = (UniqueConstraint("partner_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    role: Mapped[MemberRole] = mapped_column(default=MemberRole.MEMBER)

    partner: Mapped[Partner] = relationship(back_populates="memberships")
    user: Mapped[User] = relationship()


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
