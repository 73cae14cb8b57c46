"""Signing in, with a second step for those who have a second factor, and signing out."""

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user

from ...core import clock
from ...core.access import public, signed_in
from ...core.database import db, transaction
from ...core.extensions import limiter
from ...core.frame import local
from ...core.i18n import _, ngettext
from .. import attempts, second_factor, service, sessions
from ..forms import CodeForm, SignInForm
from ..models import User
from ..secrets import fingerprint
from . import bp

#: Seconds between the password and the code.
PATIENCE = 600
#: From one address, whoever they try to be; an office behind one address fits in.
BY_ADDRESS = "100 per 15 minutes"


@bp.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit(BY_ADDRESS, methods=["POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for address and password."""
    target = local(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    form = SignInForm()
    if not form.validate_on_submit():
        return _sign_in_page(form, 422 if form.is_submitted() else 200)
    user, status = _prove(form)
    if user is None:
        return _sign_in_page(form, status)
    if user.totp_secret:
        return _ask_for_code(user, target, keep=form.keep.data)
    return let_in(user, target, password=form.password.data, keep=form.keep.data)


def _prove(form: SignInForm) -> tuple[User | None, int]:
    """Who this is; or nobody, the reason in the form, and the status to answer with."""
    email = form.email.data.lower()
    with transaction():
        tries = _count_try(email)
    if tries < 0:
        form.form_errors.append(attempts.TooManyAttempts.message)
        return None, 429
    user = service.authenticate(email, form.password.data)
    if user is None:
        form.password.errors = [_wrong(tries)]
    elif not user.is_active:
        form.form_errors.append(_("Your access has been switched off. Write to your manager."))
        user = None
    return user, 422


def _ask_for_code(user: User, target: str, *, keep: bool) -> ResponseReturnValue:
    """Remember that the password was right, in this browser and for a few minutes."""
    session.clear()
    session["half"] = {"user": user.id, "at": clock.now().timestamp(), "stamp": _stamp(user), "keep": keep}
    return redirect(url_for(".code", next=target), 303)


def _sign_in_page(form: SignInForm, status: int) -> ResponseReturnValue:
    return render_template("accounts/sign_in.html", form=form), status


def _count_try(email: str) -> int:
    """Count this try before the password is looked at: a hundred at once get no further than one by one."""
    address = request.remote_addr or ""
    attempts.record(attempts.NEAR, email, address)
    attempts.record(attempts.ACCOUNT, email)
    return min(attempts.left(attempts.NEAR, email, address), attempts.left(attempts.ACCOUNT, email))


def _wrong(tries: int) -> str:
    if tries >= attempts.NEAR.tries - 1:
        return _("E-mail and password do not match.")
    if tries == 0:
        return _("E-mail and password do not match. That was the last try for a quarter of an hour.")
    return ngettext(
        "E-mail and password do not match. You have one more try.",
        "E-mail and password do not match. You have %(count)s more tries.",
        tries,
    )


def let_in(user: User, target: str, *, password: str | None = None, keep: bool = True) -> ResponseReturnValue:
    """Begin a session in this browser and go to `target`."""
    browser = request.user_agent.string
    with transaction():
        service.enter(user, password=password, address=request.remote_addr, browser=browser, is_kept=keep)
    session.clear()
    session.permanent = keep
    login_user(user)
    return redirect(target, 303)


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
@limiter.limit(BY_ADDRESS, methods=["POST"])
def code() -> ResponseReturnValue:
    """Ask for the code of someone whose password was right."""
    target = local(request.args.get("next"))
    user = _half_in()
    if user is None:
        return redirect(url_for(".sign_in", next=target), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("accounts/code.html", form=form), 422 if form.is_submitted() else 200
    with transaction():
        attempts.record(attempts.CODE, str(user.id))
        tries = attempts.left(attempts.CODE, str(user.id))
        is_right = tries >= 0 and second_factor.accept(user, form.code.data)
    if is_right:
        return let_in(user, target, keep=session["half"]["keep"])
    if tries < 0:
        form.form_errors.append(attempts.TooManyAttempts.message)
        return render_template("accounts/code.html", form=form), 429
    form.code.errors = [second_factor.WrongCode.message]
    return render_template("accounts/code.html", form=form), 422


def _half_in() -> User | None:
    """Who gave the right password in this browser a moment ago, if it is still theirs."""
    half: dict[str, Any] = session.get("half") or {}
    if not half or clock.now().timestamp() - half["at"] > PATIENCE:
        return None
    user = db.session.get(User, half["user"])
    return user if user and user.is_active and user.totp_secret and _stamp(user) == half["stamp"] else None


def _stamp(user: User) -> str:
    """Changes with the password, so that a half-finished sign-in ends with it."""
    return fingerprint(user.password_hash or "")[:16]


@bp.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End this browser's session."""
    mine = current_user.current_session
    with transaction():
        if mine is not None:
            sessions.end(mine)
    session.clear()
    flash(_("You are signed out."))
    return redirect(url_for(".sign_in"), 303)
