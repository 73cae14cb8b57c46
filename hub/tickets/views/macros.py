"""Prepared answers: their list and forms, and what a composer offers while one writes."""

from typing import Any

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import fulltext
from ...core.access import Permission, can, requires, visible, visible_or_404
from ...core.database import db, transaction
from ...core.errors import Forbidden
from ...core.forms import options
from ...core.i18n import _l
from ...core.settings import settings
from .. import fields, service
from .. import macros as rules
from ..field_values import offers
from ..forms import MacroForm
from ..models import Macro, Ticket
from .shared import bp, ticket_or_404

OFFERED = 8


@bp.get("/inbox/macros")
@requires(Permission.TICKETS_WORK)
def macros() -> ResponseReturnValue:
    """One's own prepared answers and the team's."""
    manages = can(current_user, Permission.TICKETS_MANAGE)
    return render_template("tickets/macros.html", macros=_all(), manages=manages)


@bp.get("/inbox/macros/new")
@requires(Permission.TICKETS_WORK)
def new_macro() -> ResponseReturnValue:
    """A new prepared answer."""
    return _form(_macro_form())


@bp.post("/inbox/macros")
@requires(Permission.TICKETS_WORK)
def create_macro() -> ResponseReturnValue:
    """Keep a new prepared answer."""
    form = _macro_form()
    if not form.validate_on_submit():
        return _form(form), 422
    with transaction() as session:
        macro = Macro(name="", body="")
        _keep(macro, form)
        session.add(macro)
    return redirect(url_for(".macros"), 303)


@bp.get("/inbox/macros/<int:id>")
@requires(Permission.TICKETS_WORK)
def edit_macro(id: int) -> ResponseReturnValue:
    """Change a prepared answer."""
    macro = _own(id)
    shown = _macro_form(name=macro.name, body=macro.body, is_shared=macro.owner_id is None, **macro.actions)
    return _form(shown, macro)


@bp.post("/inbox/macros/<int:id>")
@requires(Permission.TICKETS_WORK)
def update_macro(id: int) -> ResponseReturnValue:
    """Keep the change, or remove the answer."""
    form = _macro_form()
    with transaction() as session:
        macro = _own(id)
        if "remove" in request.form:
            session.delete(macro)
            return redirect(url_for(".macros"), 303)
        if not form.validate_on_submit():
            return _form(form, macro), 422
        _keep(macro, form)
    return redirect(url_for(".macros"), 303)


@bp.get("/inbox/<int:number>/offer")
@requires(Permission.TICKETS_WORK)
def offer(number: int) -> ResponseReturnValue:
    """What a composer offers after “/”, “#” or “@”: prepared answers, articles, colleagues."""
    ticket, text = ticket_or_404(number), request.args.get("q", "").strip()
    offers = {"/": _offer_macros, "#": _offer_articles, "@": _offer_people}
    kind = offers.get(request.args.get("kind", ""))
    return jsonify(kind(ticket, text)[:OFFERED] if kind else [])


def _offer_macros(ticket: Ticket, text: str) -> list[dict[str, Any]]:
    fitting = [each for each in _all() if text.casefold() in each.name.casefold()]
    return [
        {"label": each.name, "text": rules.fill(each.body, ticket, current_user), "macro": each.id}
        for each in fitting
    ]


def _offer_articles(ticket: Ticket, text: str) -> list[dict[str, Any]]:
    found = fulltext.find(
        current_user,
        ticket.requester.locale,
        text or ticket.subject,
        kinds=("article",),
        limit=OFFERED,
        typing=bool(text),
        fragments=False,
    )
    # An internal article must not reach a partner, not even as a link.
    return [
        {
            "label": hit.document.title,
            "text": f"[{hit.document.title}]({settings.base_url}{hit.document.url})",
        }
        for hit in found.hits
        if fulltext.STAFF not in hit.document.audience
    ]


def _offer_people(_ticket: Ticket, text: str) -> list[dict[str, Any]]:
    team = [each for each in service.team() if text.casefold() in each.name.casefold()]
    return [{"label": each.name, "text": f"@{each.name} "} for each in team]


def _all() -> list[Macro]:
    return list(db.session.scalars(visible(select(Macro), current_user).order_by(Macro.name, Macro.id)))


def _own(id: int) -> Macro:
    """A macro that one may change: one's own, or the team's for those who manage."""
    macro = visible_or_404(select(Macro).where(Macro.id == id), current_user)
    if macro.owner_id is None and not can(current_user, Permission.TICKETS_MANAGE):
        raise Forbidden
    return macro


def _keep(macro: Macro, form: MacroForm) -> None:
    shared = form.is_shared.data and can(current_user, Permission.TICKETS_MANAGE)
    macro.name, macro.body = form.name.data, form.body.data
    macro.owner_id = None if shared else current_user.id
    actions = {name: form[name].data for name in ("status", "priority", "category", "field", "tag", "assign")}
    macro.actions = {name: value for name, value in actions.items() if value}


def _macro_form(**values: Any) -> MacroForm:
    form = MacroForm(**values)
    pairs = [
        (f"{each.id}:{key}", f"{each.name}: {label}")
        for each in fields.picked(current_user)
        for key, label in offers(each)
    ]
    form.field.choices = options([("", _l("leave as it is")), *pairs])
    return form


def _form(form: MacroForm, macro: Macro | None = None) -> str:
    return render_template(
        "tickets/macro.html",
        form=form,
        macro=macro,
        variables=list(rules.VARIABLES),
        may_share=can(current_user, Permission.TICKETS_MANAGE),
    )
