"""Members of a partner: its owners and the team invite, promote and remove them."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...accounts import service as accounts
from ...core.access import Permission, can, is_staff, requires
from ...core.database import db, transaction
from ...core.errors import Forbidden, HubError, Invalid, NotFound
from ...core.i18n import _
from .. import members, service
from ..forms import MemberForm
from ..models import MemberRole, Membership, Partner
from . import bp, own, staff


@bp.post("/<code>/members")
@requires(Permission.PARTNERS_OWN, Permission.PARTNERS_EDIT)
def invite(code: str) -> ResponseReturnValue:
    """Invite somebody into the organisation."""
    partner, form = _managed(code), MemberForm()
    if form.validate_on_submit():
        try:
            with transaction():
                members.invite(
                    partner,
                    current_user,
                    email=form.email.data or "",
                    name=form.name.data or "",
                    role=MemberRole(form.role.data),
                )
            flash(_("The invitation is on its way to %(email)s.", email=form.email.data))
            return _back(partner)
        except Invalid as error:
            form.blame(error)
    page = staff.card if is_staff(current_user) else own.page
    return page(partner, member_form=form), 422


@bp.post("/<code>/members/<int:id>/again")
@requires(Permission.PARTNERS_OWN, Permission.PARTNERS_EDIT)
def invite_again(code: str, id: int) -> ResponseReturnValue:
    """Send a fresh invitation."""
    partner = _managed(code)
    membership = _membership(partner, id)
    return _attempt(
        partner,
        lambda: accounts.invite_again(current_user, membership.user, organisation=partner.name),
        _("The invitation is on its way."),
    )


@bp.post("/<code>/members/<int:id>/role")
@requires(Permission.PARTNERS_OWN, Permission.PARTNERS_EDIT)
def set_role(code: str, id: int) -> ResponseReturnValue:
    """Make somebody an owner or a member."""
    partner, wanted = _managed(code), request.form.get("role", "")
    membership = _membership(partner, id)
    if wanted not in set(MemberRole):
        raise NotFound
    return _attempt(
        partner, lambda: members.set_role(membership, MemberRole(wanted), current_user), _("Saved.")
    )


@bp.post("/<code>/members/<int:id>/remove")
@requires(Permission.PARTNERS_OWN, Permission.PARTNERS_EDIT)
def remove(code: str, id: int) -> ResponseReturnValue:
    """Take somebody out of the organisation."""
    partner = _managed(code)
    membership = _membership(partner, id)
    name = membership.user.name
    done = _("%(name)s is no longer a member.", name=name)
    return _attempt(partner, lambda: members.remove(membership, current_user), done)


def _managed(code: str) -> Partner:
    """The partner, if the reader may see it (404 otherwise) and look after its people (403)."""
    partner = staff.find(code)
    if not (can(current_user, Permission.PARTNERS_EDIT) or service.is_owner(current_user, partner)):
        raise Forbidden(_("Only owners of the organisation may do this."))
    return partner


def _membership(partner: Partner, id: int) -> Membership:
    found = db.session.scalar(
        select(Membership).where(Membership.id == id, Membership.partner_id == partner.id)
    )
    if found is None:
        raise NotFound
    return found


def _attempt(partner: Partner, step: Callable[[], object], done: str) -> ResponseReturnValue:
    try:
        with transaction():
            step()
        flash(done)
    except HubError as error:
        flash(str(error.message), "bad")
    return _back(partner)


def _back(partner: Partner) -> ResponseReturnValue:
    where = url_for(".show", code=partner.code) if is_staff(current_user) else url_for(".own")
    return redirect(where + "#people", 303)
