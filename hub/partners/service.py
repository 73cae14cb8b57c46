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
