"""One's own way in: password, second factor, signed-in browsers."""

from flask import flash, make_response, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import audit
from ...core.access import signed_in, visible_or_404
from ...core.database import transaction
from ...core.errors import Invalid
from ...core.i18n import _
from .. import browsers, letters, second_factor, service, sessions, tokens
from ..forms import ChangePasswordForm, CodeForm, TokenForm
from ..models import User, UserSession
from ..recent import recently_authenticated
from . import bp
from .confirm import password_is_right


def me() -> User:
    """Who is signed in, as a plain object."""
    return current_user._get_current_object()


@bp.get("/profile/security")
@signed_in
def security() -> ResponseReturnValue:
    """Show how one signs in and where one is signed in."""
    return security_page(ChangePasswordForm())


def security_page(
    form: ChangePasswordForm, *, token_form: TokenForm | None = None, status: int = 200
) -> ResponseReturnValue:
    mine = current_user.current_session
    rows = [
        {
            "session": each,
            "browser": browsers.describe(each.browser),
            "is_this": mine is not None and each.id == mine.id,
        }
        for each in sessions.alive(me())
    ]
    return render_template(
        "accounts/security.html",
        form=form,
        token_form=token_form or TokenForm(formdata=None),
        sessions=rows,
        tokens=tokens.of(me()),
        codes_left=second_factor.recovery_codes_left(me()) if current_user.totp_secret else 0,
    ), status


@bp.post("/profile/password")
@signed_in
def change_password() -> ResponseReturnValue:
    """Replace one's own password; other browsers are signed out."""
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return security_page(form, status=422)
    if not password_is_right(form.old.data):
        form.old.errors = [_("This is not your password.")]
        return security_page(form, status=422)
    try:
        with transaction():
            service.change_password(me(), form.new.data)
    except Invalid as error:
        form.blame(error)
        return security_page(form, status=422)
    flash(_("Your password is changed. Other browsers are signed out."))
    return redirect(url_for(".security"), 303)


@bp.post("/profile/sessions/<int:id>/end")
@signed_in
def end_session(id: int) -> ResponseReturnValue:
    """Sign one of one's own browsers out."""
    with transaction():
        sessions.end(visible_or_404(select(UserSession).where(UserSession.id == id), current_user))
    flash(_("That browser is signed out."))
    return redirect(url_for(".security"), 303)


@bp.post("/profile/sessions/end-others")
@signed_in
def end_other_sessions() -> ResponseReturnValue:
    """Sign all one's other browsers out."""
    with transaction():
        sessions.end_all(me(), but=current_user.session_token)
    flash(_("All other browsers are signed out."))
    return redirect(url_for(".security"), 303)


@bp.route("/profile/second-factor", methods=["GET", "POST"])
@signed_in
@recently_authenticated
def second_factor_setup() -> ResponseReturnValue:
    """Set the second factor up: a picture for the app, then a code to prove it works."""
    if current_user.totp_secret:
        return redirect(url_for(".security"), 303)
    secret = session.setdefault("new_totp", second_factor.new_secret())
    form = CodeForm()
    if form.validate_on_submit():
        try:
            with transaction():
                codes = second_factor.switch_on(me(), secret, form.code.data)
                audit.record(me(), "user.second_factor_on", f"user:{current_user.id}")
                letters.changed(me(), "second-factor-on")
        except second_factor.WrongCode as error:
            form.code.errors = [error.message]
        else:
            session.pop("new_totp")
            return _codes_page(codes)
    page = render_template(
        "accounts/second_factor.html", form=form, secret=secret, qr=second_factor.qr(me(), secret)
    )
    response = make_response(page, 422 if form.is_submitted() else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/profile/second-factor/off")
@signed_in
@recently_authenticated
def second_factor_off() -> ResponseReturnValue:
    """Sign in with the password alone from now on."""
    with transaction():
        second_factor.switch_off(me())
        audit.record(me(), "user.second_factor_off", f"user:{current_user.id}")
        letters.changed(me(), "second-factor-off")
    flash(_("The second factor is off."))
    return redirect(url_for(".security"), 303)


@bp.post("/profile/recovery-codes")
@signed_in
@recently_authenticated
def recovery_codes() -> ResponseReturnValue:
    """Make ten new recovery codes; earlier ones are worthless."""
    if not current_user.totp_secret:
        return redirect(url_for(".security"), 303)
    with transaction():
        codes = second_factor.renew_recovery_codes(me())
        audit.record(me(), "user.recovery_codes_renewed", f"user:{current_user.id}")
    return _codes_page(codes)


def _codes_page(codes: list[str]) -> ResponseReturnValue:
    """The codes, this once."""
    response = make_response(render_template("accounts/recovery_codes.html", codes=codes))
    response.headers["Cache-Control"] = "no-store"
    return response
