"""The people of a partner: an active partner keeps at least one owner, whoever asks at the same time."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..accounts import service as accounts
from ..accounts.models import User
from ..core import audit, live
from ..core.access import Role
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _l
from .models import MemberRole, Membership, Partner


class LastOwner(HubError):
    message = _l("This is the only owner. Make somebody else an owner first.")


def members(partner: Partner) -> list[Membership]:
    """Owners first, then by the order in which they came."""
    found = db.session.scalars(
        select(Membership)
        .where(Membership.partner_id == partner.id)
        .options(joinedload(Membership.user))
        .order_by(Membership.role.desc(), Membership.id)
    )
    return list(found)


def invite(
    partner: Partner, actor: Any, *, email: str, name: str, role: MemberRole = MemberRole.MEMBER
) -> Membership:
    """Invite a colleague by mail. Raises AddressTaken."""
    user = accounts.invite(
        actor,
        email,
        name=name,
        role=Role.PARTNER,
        locale=partner.locale,
        time_zone=partner.time_zone,
        organisation=partner.name,
    )
    return add(partner, user, actor, role=role)


def add(partner: Partner, user: User, actor: Any, *, role: MemberRole) -> Membership:
    """Make somebody who is known to the hub a member."""
    membership = Membership(partner_id=partner.id, user_id=user.id, role=role)
    db.session.add(membership)
    db.session.flush()
    audit.record(
        actor, "partner.member_added", f"partner:{partner.id}", after={"user": user.id, "role": str(role)}
    )
    return membership


def remove(membership: Membership, actor: Any) -> None:
    """Take somebody out of the organisation and out of the hub. Raises LastOwner.

    Whoever leaves of their own accord may still sign in and sees nothing of the partner any more.
    """
    _keep_an_owner(membership)
    audit.record(
        actor,
        "partner.member_removed",
        f"partner:{membership.partner_id}",
        before={"user": membership.user_id},
    )
    user = membership.user
    db.session.delete(membership)
    db.session.flush()
    elsewhere = db.session.scalar(select(Membership.id).where(Membership.user_id == user.id).limit(1))
    if elsewhere is None and user.id != actor.id and user.is_active:
        accounts.disable(actor, user)
    live.disconnect(user.id, whoever=True)  # an open page hears a conversation for as long as it is connected


def set_role(membership: Membership, role: MemberRole, actor: Any) -> None:
    """Make a member an owner or an owner a member. Raises LastOwner."""
    if membership.role is role:
        return
    if role is MemberRole.MEMBER:
        _keep_an_owner(membership)
    before, membership.role = membership.role, role
    audit.record(
        actor, "partner.member_role", f"partner:{membership.partner_id}",
        before={"user": membership.user_id, "role": str(before)}, after={"role": str(role)},
    )  # fmt: skip
    db.session.flush()


def _keep_an_owner(leaving: Membership) -> None:
    """Refuse if nobody else owns the partner: the owners' rows are locked, so two cannot leave at once."""
    db.session.scalar(select(Partner).where(Partner.id == leaving.partner_id).with_for_update(key_share=True))
    owners = select(Membership.id).where(
        Membership.partner_id == leaving.partner_id, Membership.role == MemberRole.OWNER
    )
    left = set(db.session.scalars(owners))
    if left and left <= {leaving.id}:
        raise LastOwner
