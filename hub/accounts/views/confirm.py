"""“Is it you?”: the password again, before money and roles."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core.access import signed_in
from ...core.database import transaction
from ...core.extensions import limiter
from ...core.frame import local
from ...core.i18n import _
from .. import attempts, passwords, sessions
from ..forms import ConfirmForm
from . import bp
from .entrance import BY_ADDRESS


@bp.route("/confirm", methods=["GET", "POST"])
@signed_in
@limiter.limit(BY_ADDRESS, methods=["POST"])
def confirm() -> ResponseReturnValue:
    """Ask for the password, then go back."""
    form = ConfirmForm()
    if not form.validate_on_submit():
        return render_template("accounts/confirm.html", form=form), 422 if form.is_submitted() else 200
    if not password_is_right(form.password.data):
        form.password.errors = [_("This is not your password.")]
        return render_template("accounts/confirm.html", form=form), 422
    with transaction():
        sessions.confirm(current_user.current_session)
    return redirect(local(request.args.get("next")), 303)


def password_is_right(password: str) -> bool:
    """Is it the password of whoever is signed in? Tries are counted. Raises TooManyAttempts."""
    with transaction():
        attempts.record(attempts.NEAR, current_user.email, "confirm")
        tries = attempts.left(attempts.NEAR, current_user.email, "confirm")
    if tries < 0:
        raise attempts.TooManyAttempts
    if not passwords.is_right(current_user.password_hash, password):
        return False
    with transaction():
        attempts.forget(attempts.NEAR, current_user.email, "confirm")
    return True
