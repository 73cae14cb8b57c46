"""Partners who ask for what may not be used without asking."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, false, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ...accounts.models import User
from ...core import clock
from ...core.access import Permission, can, visibility
from ...core.database import db
from ...partners.models import Partner, own_partner_ids
from .assets import Asset


class RequestState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class UseRequest(db.Model):
    """A partner wants to use an asset, says what for and where, and gets an answer."""

    __table_args__ = (
        # One question at a time, and none after a yes; a refused partner may ask again.
        Index(
            "uq_use_request_open",
            "asset_id",
            "partner_id",
            unique=True,
            sqlite_where=text("state != 'refused'"),
            postgresql_where=text("state != 'refused'"),
        ),
        Index("ix_use_request_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    purpose: Mapped[str]
    place: Mapped[str]  # where it will be seen
    state: Mapped[RequestState] = mapped_column(default=RequestState.ASKED)
    reason: Mapped[str | None]  # why not, in the manager's words
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))

    asset: Mapped[Asset] = relationship()
    partner: Mapped[Partner] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])


def with_consent(*conditions: Any) -> Any:
    """Condition: usable without asking, or by consent to a partner that the `conditions` on Partner describe."""
    granted = (
        select(UseRequest.asset_id)
        .join(Partner, Partner.id == UseRequest.partner_id)
        .where(UseRequest.state == RequestState.GRANTED, *conditions)
    )
    return or_(~Asset.needs_approval, Asset.id.in_(granted))


@visibility(UseRequest)
def _requests(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.MATERIALS_MANAGE):
        return statement
    if can(user, Permission.PARTNERS_OWN):
        return statement.where(UseRequest.partner_id.in_(own_partner_ids(user)))
    return statement.where(false())
