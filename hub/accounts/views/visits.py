"""What every request tells about the person behind it, and what it may not skip."""

import structlog
from flask import Response, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from ...core.database import db, transaction
from ...core.i18n import _
from .. import second_factor, sessions
from ..models import UserSession
from . import bp

log = structlog.get_logger()
#: What is open to staff who must set up their second factor first.
BEFORE_SECOND_FACTOR = (
    "accounts.second_factor_setup",
    "accounts.sign_out",
    "accounts.confirm",
    "frame.language",
    "frame.theme",
    "static",
)


@bp.before_app_request
def ask_for_second_factor() -> ResponseReturnValue | None:
    """Staff set up a second factor before anything else, where the settings demand one."""
    if (
        request.endpoint is None
        or request.endpoint in BEFORE_SECOND_FACTOR
        or not current_user.is_authenticated
    ):
        return None
    if current_user.current_session is None or not second_factor.is_required(current_user):
        return None
    flash(_("Your team asks for a second factor. Set it up to go on."), "warn")
    return redirect(url_for("accounts.second_factor_setup"), 303)


@bp.after_app_request
def note_visit(response: Response) -> Response:
    """Write down at most every five minutes that somebody was here, after the answer has left."""
    # Whoever was not asked for, as on static files, is not loaded for this either.
    if "_login_user" not in g or not current_user.is_authenticated or not current_user.is_visit_due:
        return response
    mine = current_user.current_session
    if mine is not None and mine.ended_at is None:
        session.modified = True  # renews the cookie too
        app, number, address = current_app._get_current_object(), mine.id, request.remote_addr  # type: ignore[attr-defined]

        def note() -> None:
            with app.app_context():
                _write(number, address)

        response.call_on_close(note)
    return response


def _write(number: int, address: str | None) -> None:
    try:
        with transaction():
            mine = db.session.get(UserSession, number)
            if mine is not None:
                sessions.visit(mine, address)
    except SQLAlchemyError as error:
        log.warning("visit not noted", error=str(error)[:200])  # the next one is
