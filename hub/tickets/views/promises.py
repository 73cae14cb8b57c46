"""Working hours and promised times: everyone of the team sees them, managers change them."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, can, requires
from ...core.database import db, transaction
from ...core.errors import HubError
from ...core.i18n import _
from ...partners.models import Tier
from .. import policies
from ..forms_promises import WEEKDAYS, PromisesForm
from .shared import bp


@bp.get("/inbox/promises")
@requires(Permission.TICKETS_WORK)
def promises() -> ResponseReturnValue:
    """What holds now; `?version=` shows one that has held."""
    known = policies.versions()
    wanted = request.args.get("version", type=int)
    shown = next((each for each in known if each.id == wanted), None)
    if wanted and shown is None:
        abort(404)
    last = known[0] if known else None
    form = PromisesForm.of(policies.data_of(shown or last), last.id if last else 0)
    return _page(form, old=None if shown is last else shown)


@bp.post("/inbox/promises")
@requires(Permission.TICKETS_MANAGE)
def set_promises() -> ResponseReturnValue:
    """Let other times hold for what begins from now on."""
    form = PromisesForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        with transaction():
            changed = policies.change(current_user, form.as_data(), based_on=form.version.data or 0)
    except HubError as error:
        form.blame(error)
        return _page(form), error.status
    flash(
        _("Saved. What is promised already stays as it was promised.")
        if changed
        else _("Nothing was changed.")
    )
    return redirect(url_for(".promises"), 303)


def _page(form: PromisesForm, old: object = None) -> str:
    tiers = db.session.scalars(select(Tier).order_by(Tier.order))
    form.offer({tier.key: tier.name for tier in tiers})
    return render_template(
        "tickets/promises.html",
        form=form,
        weekdays=WEEKDAYS,
        versions=policies.versions(),
        old=old,
        may_change=can(current_user, Permission.TICKETS_MANAGE) and old is None,
    )
