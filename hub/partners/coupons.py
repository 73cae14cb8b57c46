"""Coupons of partners: one word belongs to one partner, for good."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..core import audit, clock
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import _l
from .models import Coupon, Partner

CODE = re.compile(r"[A-Z0-9]{4,16}")


class CouponTaken(Invalid):
    message = _l("This coupon exists already.")

    def __init__(self) -> None:
        super().__init__(code=[self.message])


class WrongCoupon(Invalid):
    message = _l("A coupon has 4 to 16 Latin letters and digits.")

    def __init__(self) -> None:
        super().__init__(code=[self.message])


class CouponOver(HubError):
    message = _l("This coupon has ended already.")


def coupons(partner: Partner) -> list[Coupon]:
    """A partner's coupons, the newest first."""
    return list(
        db.session.scalars(select(Coupon).where(Coupon.partner_id == partner.id).order_by(Coupon.id.desc()))
    )


def assign(
    partner: Partner, actor: Any, code: str, *, ends_at: datetime | None = None, note: str | None = None
) -> Coupon:
    """Give a partner a coupon from now on. Raises WrongCoupon, CouponTaken."""
    code = code.strip().upper()
    if not CODE.fullmatch(code):
        raise WrongCoupon
    if db.session.scalar(select(Coupon.id).where(Coupon.code == code)) is not None:
        raise CouponTaken
    coupon = Coupon(partner_id=partner.id, code=code, starts_at=clock.now(), ends_at=ends_at, note=note)
    db.session.add(coupon)
    db.session.flush()
    audit.record(actor, "coupon.assigned", f"partner:{partner.id}", after={"code": code})
    return coupon


def end(coupon: Coupon, actor: Any) -> None:
    """Let a coupon count no longer; what it brought stays. Raises CouponOver."""
    moment = clock.now()
    if coupon.ends_at is not None and coupon.ends_at <= moment:
        raise CouponOver
    coupon.ends_at = moment
    audit.record(actor, "coupon.ended", f"partner:{coupon.partner_id}", before={"code": coupon.code})
