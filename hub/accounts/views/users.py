"""Everybody's administration: who is here, in which role, and who is let in."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, or_, select

from ...core.access import Permission, Role, requires, visible, visible_or_404
from ...core.database import transaction
from ...core.errors import HubError, Invalid
from ...core.i18n import _
from ...core.paging import page
from .. import browsers, service, sessions
from ..forms import DUTIES, ROLES, InviteForm, RoleForm
from ..models import User
from ..recent import recently_authenticated
from . import bp
from .security import me

STATES = {
    "active": (User.disabled_at.is_(None), User.password_hash.is_not(None)),
    "invited": (User.disabled_at.is_(None), User.password_hash.is_(None)),
    "disabled": (User.disabled_at.is_not(None),),
}


@bp.get("/settings/users")
@requires(Permission.USERS_MANAGE)
def users() -> ResponseReturnValue:
    """List people by name."""
    chosen = {name: request.args.get(name, "").strip() for name in ("q", "role", "state")}
    found = page(_filtered(**chosen), request.args.get("cursor"), User.name, User.id, descending=False)
    return render_template(
        "accounts/users.html", page=found, chosen=chosen, roles=ROLES, link_to=_same_list(chosen)
    )


def _filtered(q: str, role: str, state: str) -> Select[Any]:
    statement = visible(select(User), current_user)
    if q:
        statement = statement.where(
            or_(User.name.icontains(q, autoescape=True), User.email.icontains(q, autoescape=True))
        )
    if role in set(Role):
        statement = statement.where(User.role == Role(role))
    return statement.where(*STATES.get(state, ()))


def _same_list(chosen: dict[str, str]) -> Any:
    """Addresses of this list with the same filters."""
    kept = {name: value for name, value in chosen.items() if value}

    def link_to(**values: Any) -> str:
        return url_for(".users", **{**kept, **values})

    return link_to


@bp.route("/settings/users/invite", methods=["GET", "POST"])
@requires(Permission.USERS_MANAGE)
@recently_authenticated
def invite() -> ResponseReturnValue:
    """Invite a member of staff; partners' people are invited from their partner's page."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            with transaction():
                user = service.invite(
                    me(),
                    form.email.data,
                    name=form.name.data,
                    role=Role(form.role.data),
                    locale=form.locale.data,
                )
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("The invitation is on its way to %(email)s.", email=user.email))
            return redirect(url_for(".users"), 303)
    return render_template(
        "accounts/invite.html", form=form, duties=DUTIES, roles=ROLES
    ), 422 if form.is_submitted() else 200


@bp.get("/settings/users/<int:id>")
@requires(Permission.USERS_MANAGE)
def user(id: int) -> ResponseReturnValue:
    """Show a person, and what an admin can do."""
    return _user_page(_find(id))


def _find(id: int) -> User:
    return visible_or_404(select(User).where(User.id == id), current_user)


def _user_page(user: User, status: int = 200) -> ResponseReturnValue:
    rows = [
        {"session": each, "browser": browsers.describe(each.browser)} for each in sessions.alive(user)[:20]
    ]
    return render_template(
        "accounts/user.html",
        user=user,
        form=RoleForm(role=str(user.role), formdata=None),
        sessions=rows,
        roles=ROLES,
        is_staff=user.is_staff,
        is_me=user.id == current_user.id,
    ), status


def _do(id: int, verb: Any, done: str, **values: Any) -> ResponseReturnValue:
    """Apply a rule to a person and return to their page, saying what happened or why not."""
    try:
        with transaction():
            verb(me(), _find(id), **values)
    except HubError as error:
        if error.status != HubError.status:
            raise
        flash(str(error.message), "bad")
    else:
        flash(done)
    return redirect(url_for(".user", id=id), 303)


@bp.post("/settings/users/<int:id>/role")
@requires(Permission.USERS_MANAGE)
@recently_authenticated
def change_role(id: int) -> ResponseReturnValue:
    """Give a member of staff another role."""
    form = RoleForm()
    if not form.validate_on_submit():
        return _user_page(_find(id), 422)
    return _do(
        id,
        service.change_role,
        _("The role is changed. The person has to sign in again."),
        role=Role(form.role.data),
    )


@bp.post("/settings/users/<int:id>/disable")
@requires(Permission.USERS_MANAGE)
@recently_authenticated
def disable(id: int) -> ResponseReturnValue:
    """Disable a person's account."""
    return _do(id, service.disable, _("The account is disabled, and every open page of it is closed."))


@bp.post("/settings/users/<int:id>/enable")
@requires(Permission.USERS_MANAGE)
@recently_authenticated
def enable(id: int) -> ResponseReturnValue:
    """Enable a person's account."""
    return _do(id, service.enable, _("The account is enabled. This person can sign in again."))


@bp.post("/settings/users/<int:id>/invite-again")
@requires(Permission.USERS_MANAGE)
def invite_again(id: int) -> ResponseReturnValue:
    """Send a fresh invitation."""
    return _do(id, service.invite_again, _("A fresh invitation is on its way."))


@bp.post("/settings/users/<int:id>/end-sessions")
@requires(Permission.USERS_MANAGE)
def end_sessions(id: int) -> ResponseReturnValue:
    """Sign a person out everywhere."""
    return _do(id, service.end_sessions, _("This person is signed out everywhere."))


@bp.post("/settings/users/<int:id>/second-factor")
@requires(Permission.USERS_MANAGE)
@recently_authenticated
def drop_second_factor(id: int) -> ResponseReturnValue:
    """Take away the second factor of someone who has lost theirs."""
    return _do(
        id, service.drop_second_factor, _("The second factor is off. This person has to sign in again.")
    )
