"""One's own API tokens."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import audit
from ...core.access import signed_in, visible_or_404
from ...core.database import transaction
from ...core.i18n import _
from .. import tokens
from ..forms import ChangePasswordForm, TokenForm
from ..models import ApiToken
from ..recent import recently_authenticated
from . import bp
from .security import me, security_page


@bp.post("/profile/tokens")
@signed_in
@recently_authenticated
def create_token() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    form = TokenForm()
    if not form.validate_on_submit():
        return security_page(ChangePasswordForm(formdata=None), token_form=form, status=422)
    with transaction():
        row, secret = tokens.create(me(), form.name.data)
        audit.record(me(), "token.created", f"token:{row.id}", after={"name": row.name})
    response = make_response(render_template("accounts/token.html", token=row, secret=secret))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/profile/tokens/<int:id>/revoke")
@signed_in
def revoke_token(id: int) -> ResponseReturnValue:
    """Let one of one's own tokens open nothing any more."""
    with transaction():
        row = visible_or_404(select(ApiToken).where(ApiToken.id == id), current_user)
        tokens.revoke(row)
        audit.record(me(), "token.revoked", f"token:{row.id}")
    flash(_("The token is revoked."))
    return redirect(url_for(".security"), 303)
