"""What can be done with partner organisations."""

import re
from typing import Any

from sqlalchemy import bindparam, select

from ..core import audit, clock
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import _l
from . import levels
from .models import MemberRole, Membership, Partner, PartnerStatus

CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,19}")
#: Which status may follow which.
NEXT = {
    PartnerStatus.APPLIED: (PartnerStatus.ACTIVE, PartnerStatus.CLOSED),
    PartnerStatus.ACTIVE: (PartnerStatus.SUSPENDED, PartnerStatus.CLOSED),
    PartnerStatus.SUSPENDED: (PartnerStatus.ACTIVE, PartnerStatus.CLOSED),
    PartnerStatus.CLOSED: (PartnerStatus.ACTIVE,),
}
#: What an edit may change and the audit trail compares.
FACTS = (
    "name", "kind", "country", "locale", "time_zone", "currency", "website", "contact", "reach", "audience", "channels", "tags",
    "manager_id",
)  # fmt: skip


class CodeTaken(Invalid):
    message = _l("This code belongs to a partner already. Codes are never used twice.")

    def __init__(self) -> None:
        super().__init__(code=[self.message])


class WrongCode(Invalid):
    message = _l("A code has 2 to 20 Latin letters, digits and hyphens.")

    def __init__(self) -> None:
        super().__init__(code=[self.message])


class StatusNotPossible(HubError):
    message = _l("The partner cannot have this status now.")


_OF_USER = (
    select(Partner)
    .join(Membership, Membership.partner_id == Partner.id)
    .where(Membership.user_id == bindparam("user"))
    .order_by(Membership.id)
)


def partner_of(user: Any) -> Partner | None:
    """The partner organisation a user belongs to; None for staff."""
    return db.session.scalar(_OF_USER, {"user": user.id})


def names_of(user_ids: list[int]) -> dict[int, str]:
    """The organisations of these users by user id; who belongs to none is missing."""
    rows = db.session.execute(
        select(Membership.user_id, Partner.name)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(Membership.user_id.in_(user_ids))
        .order_by(Membership.id.desc())
    )
    return {user_id: name for user_id, name in rows}  # noqa: C416 – rows are no pairs to mypy


def is_owner(user: Any, partner: Partner) -> bool:
    """May this user change the organisation and its people?"""
    role = select(Membership.role).where(Membership.partner_id == partner.id, Membership.user_id == user.id)
    return db.session.scalar(role) is MemberRole.OWNER


def named(text: str) -> Any:
    """Condition: the name contains `text` in any case, or the code begins with it."""
    return Partner.folded.contains(text.casefold(), autoescape=True) | Partner.code.startswith(
        text.upper(), autoescape=True
    )


def create(actor: Any, code: str, **facts: Any) -> Partner:
    """Add a partner at the lowest level. Raises WrongCode, CodeTaken."""
    code = code.strip().upper()
    if not CODE.fullmatch(code):
        raise WrongCode
    if db.session.scalar(select(Partner.id).where(Partner.code == code)) is not None:
        raise CodeTaken
    partner = Partner(code=code, **facts)
    db.session.add(partner)
    db.session.flush()
    levels.standing(partner)
    audit.record(actor, "partner.created", f"partner:{partner.id}", after={"code": code} | _plain(facts))
    return partner


def edit(partner: Partner, actor: Any, **facts: Any) -> dict[str, Any]:
    """Change facts; what was different before, by name."""
    changed = {name: value for name, value in facts.items() if getattr(partner, name) != value}
    if not changed:
        return {}
    before = {name: getattr(partner, name) for name in changed}
    for name, value in changed.items():
        setattr(partner, name, value)
    audit.record(
        actor, "partner.edited", f"partner:{partner.id}", before=_plain(before), after=_plain(changed)
    )
    db.session.flush()
    return before


def change_status(partner: Partner, status: PartnerStatus, actor: Any, *, reason: str = "") -> None:
    """Move a partner to another status. Raises StatusNotPossible."""
    if status not in NEXT[partner.status]:
        raise StatusNotPossible
    before = {"status": str(partner.status)}
    after = {"status": str(status)} | ({"reason": reason} if reason else {})
    if partner.status is PartnerStatus.APPLIED and status is PartnerStatus.ACTIVE:
        partner.approved_at = clock.now()
    partner.status = status
    audit.record(actor, "partner.status", f"partner:{partner.id}", before=before, after=after)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them."""
    return {name: str(value) if isinstance(value, str) else value for name, value in facts.items()}
