"""What can be done with partners."""

from typing import Any

from sqlalchemy import select

from ..core.database import db
from .models import Membership, Partner


def partner_of(user: Any) -> Partner | None:
    """The partner organisation a user belongs to; None for staff."""
    return db.session.scalar(
        select(Partner)
        .join(Membership, Membership.partner_id == Partner.id)
        .where(Membership.user_id == user.id)
        .order_by(Membership.id)
    )


def names_of(user_ids: list[int]) -> dict[int, str]:
    """The organisations of these users by user id; who belongs to none is missing."""
    rows = db.session.execute(
        select(Membership.user_id, Partner.name)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(Membership.user_id.in_(user_ids))
        .order_by(Membership.id.desc())
    )
    return {user_id: name for user_id, name in rows}  # noqa: C416 – rows are no pairs to mypy
