"""What links in mails open: a new password, an invitation."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import i18n
from ...core.access import public
from ...core.database import transaction
from ...core.errors import Invalid
from ...core.extensions import limiter
from ...core.i18n import _
from .. import links, service
from ..forms import AcceptForm, AddressForm, NewPasswordForm
from ..models import LinkPurpose
from . import bp
from .entrance import let_in


@bp.route("/reset", methods=["GET", "POST"])
@public
@limiter.limit("20 per hour", methods=["POST"])
def reset() -> ResponseReturnValue:
    """Ask for the address to send a link to; the answer is the same for every address."""
    form = AddressForm()
    if not form.validate_on_submit():
        return render_template("accounts/reset.html", form=form), 422 if form.is_submitted() else 200
    with transaction():
        service.send_reset(form.email.data.lower())
    return render_template("accounts/reset_sent.html", email=form.email.data)


@bp.route("/reset/<token>", methods=["GET", "POST"])
@public
def new_password(token: str) -> ResponseReturnValue:
    """Choose a new password."""
    try:
        user = links.look(token, LinkPurpose.RESET).user
        form = NewPasswordForm()
        if form.validate_on_submit():
            with transaction():
                service.reset_password(token, form.password.data)
            flash(_("Your password is changed. Sign in with the new one."))
            return redirect(url_for(".sign_in"), 303)
    except links.LinkGone as error:
        return _gone(error)
    except Invalid as error:
        form.blame(error)
    page = render_template("accounts/new_password.html", form=form, user=user, token=token)
    return _unkept(page, 422 if form.is_submitted() else 200)


@bp.route("/invitation/<token>", methods=["GET", "POST"])
@public
def invitation(token: str) -> ResponseReturnValue:
    """Take a name and a password, and come in."""
    try:
        user = links.look(token, LinkPurpose.INVITATION).user
        if not current_user.is_authenticated and not request.cookies.get("locale"):
            i18n.activate(user.locale, user.time_zone)
        form = AcceptForm(obj=user)
        if form.validate_on_submit():
            person = {name: form[name].data for name in ("name", "locale", "time_zone")}
            with transaction():
                user = service.accept_invitation(token, password=form.password.data, **person)
            return let_in(user, "/")
    except links.LinkGone as error:
        return _gone(error)
    except Invalid as error:
        form.blame(error)
    page = render_template("accounts/invitation.html", form=form, user=user, token=token)
    return _unkept(page, 422 if form.is_submitted() else 200)


def _gone(error: links.LinkGone) -> ResponseReturnValue:
    return render_template("accounts/link_gone.html", message=error.message), error.status


def _unkept(page: str, status: int) -> ResponseReturnValue:
    """A page behind a secret address: nobody keeps a copy, nobody learns where it was."""
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
