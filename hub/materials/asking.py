"""Where partners ask for what is not given out unasked, and the team answers."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..core.access import Permission, requires, visible, visible_or_404
from ..core.database import transaction
from ..core.errors import HubError
from ..core.i18n import Text, _, _l
from ..core.paging import page
from . import requesting
from .blueprint import bp
from .forms import AskForm
from .models import Asset, RequestState, UseRequest

STATES = {
    RequestState.ASKED: _l("Waiting"),
    RequestState.GRANTED: _l("Agreed"),
    RequestState.REFUSED: _l("Refused"),
}
TONES = {RequestState.ASKED: "warn", RequestState.GRANTED: "ok", RequestState.REFUSED: "bad"}


@bp.get("/materials/<int:id>/ask")
@requires(Permission.PARTNERS_OWN)
def ask(id: int) -> ResponseReturnValue:
    """The form: what for, and where."""
    return _ask_page(_asset(id), AskForm())


@bp.post("/materials/<int:id>/ask")
@requires(Permission.PARTNERS_OWN)
def send_request(id: int) -> ResponseReturnValue:
    """Ask to use a material."""
    asset, form = _asset(id), AskForm()
    if not form.validate_on_submit():
        return _ask_page(asset, form), 422
    try:
        with transaction():
            requesting.ask(asset, current_user, form.purpose.data or "", form.place.data or "")
    except HubError as error:
        form.blame(error)
        return _ask_page(asset, form), error.status
    flash(_("Your request is with the team. You will be told what they say."))
    return redirect(url_for("materials.show", id=id), 303)


@bp.get("/materials/requests")
@requires(Permission.MATERIALS_MANAGE, Permission.PARTNERS_OWN)
def requests() -> ResponseReturnValue:
    """What was asked: a partner's own, or for those who answer everyone's, of one `?state=`."""
    chosen = request.args.get("state", "")
    statement = visible(select(UseRequest), current_user).options(
        joinedload(UseRequest.asset).joinedload(Asset.current),
        joinedload(UseRequest.partner),
        joinedload(UseRequest.user),
        joinedload(UseRequest.decided_by),
    )
    if chosen in list(RequestState):
        statement = statement.where(UseRequest.state == RequestState(chosen))
    return render_template(
        "materials/requests.html",
        page=page(statement, request.args.get("cursor"), UseRequest.id),
        chosen=chosen,
        chips=_chips(chosen),
        states=STATES,
        tones=TONES,
    )


@bp.post("/materials/requests/<int:id>/grant")
@requires(Permission.MATERIALS_MANAGE)
def grant(id: int) -> ResponseReturnValue:
    """Say yes."""
    found = _request(id)
    return _decided(lambda: requesting.grant(found, current_user))


@bp.post("/materials/requests/<int:id>/refuse")
@requires(Permission.MATERIALS_MANAGE)
def refuse(id: int) -> ResponseReturnValue:
    """Say no, with a reason that the partner reads."""
    found, reason = _request(id), " ".join(request.form.get("reason", "").split())[:500]
    if not reason:
        flash(_("Say why: the partner reads it."), "bad")
        return redirect(url_for("materials.requests", state="asked"), 303)
    return _decided(lambda: requesting.refuse(found, current_user, reason))


def _decided(decide: Any) -> ResponseReturnValue:
    try:
        with transaction():
            decide()
    except HubError as error:
        flash(str(error.message), "bad")
    else:
        flash(_("The partner has been told."))
    return redirect(url_for("materials.requests", state="asked"), 303)


def _chips(chosen: str) -> list[dict[str, Any]]:
    labels: list[tuple[str, Text]] = [("", _l("All")), *STATES.items()]
    return [
        {
            "label": label,
            "url": url_for("materials.requests", state=state or None),
            "current": chosen == state,
        }
        for state, label in labels
    ]


def asked(asset: Asset) -> dict[str, Any]:
    """What a material's page shows: may it be used, and what was asked."""
    may_use = requesting.may_use(asset, current_user)
    return {"may_use": may_use, "asked": None if may_use else requesting.latest(asset, current_user)}


def _ask_page(asset: Asset, form: AskForm) -> str:
    return render_template("materials/ask.html", asset=asset, form=form)


def _asset(id: int) -> Asset:
    statement = select(Asset).where(Asset.id == id, Asset.needs_approval).options(joinedload(Asset.current))
    return visible_or_404(statement, current_user)


def _request(id: int) -> UseRequest:
    statement = select(UseRequest).where(UseRequest.id == id)
    loaded = statement.options(
        joinedload(UseRequest.asset), joinedload(UseRequest.partner), joinedload(UseRequest.user)
    )
    return visible_or_404(loaded, current_user)
