"""Saved views of the inbox: kept, renamed, shared, given other filters, removed."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from ...core.errors import Forbidden
from ...core.i18n import _
from .. import saved_views
from ..forms import SaveViewForm
from ..inbox import Asked, View
from ..models import SavedView
from .shared import bp, in_words


@bp.get("/inbox/views/new")
@requires(Permission.TICKETS_WORK)
def new_view() -> ResponseReturnValue:
    """Keep the list that the address asks for: under a new name, or in a view there is."""
    return _new(SaveViewForm())


@bp.post("/inbox/views")
@requires(Permission.TICKETS_WORK)
def save_view() -> ResponseReturnValue:
    """Keep the list at hand under a name."""
    form, asked = SaveViewForm(), Asked.read(request.args)
    if not form.validate_on_submit():
        return _new(form), 422
    with transaction():
        saved_views.save(current_user, form.name.data, asked, is_shared=form.is_shared.data)
    flash(_("“%(name)s” is among your views now.", name=form.name.data))
    return redirect(url_for(".inbox", **asked.parameters()), 303)


@bp.get("/inbox/views/<int:id>")
@requires(Permission.TICKETS_WORK)
def edit_view(id: int) -> ResponseReturnValue:
    """Rename a view, share it, or remove it."""
    view = _changeable(id)
    return _edit(SaveViewForm(name=view.name, is_shared=view.is_shared), view)


@bp.post("/inbox/views/<int:id>")
@requires(Permission.TICKETS_WORK)
def update_view(id: int) -> ResponseReturnValue:
    """Keep its name, and whose it is."""
    form = SaveViewForm()
    with transaction():
        view = _changeable(id)
        if not form.validate_on_submit():
            return _edit(form, view), 422
        view.name, view.is_shared = form.name.data, form.is_shared.data
        shown = Asked.read(view.asked, View.ALL)
    flash(_("Saved."))
    return redirect(url_for(".inbox", **shown.parameters()), 303)


@bp.post("/inbox/views/<int:id>/filters")
@requires(Permission.TICKETS_WORK)
def refilter_view(id: int) -> ResponseReturnValue:
    """Let a view show the list that the address asks for."""
    asked = Asked.read(request.args)
    with transaction():
        view = _changeable(id)
        view.asked = asked.parameters()
        name = view.name
    flash(_("“%(name)s” shows these tickets now.", name=name))
    return redirect(url_for(".inbox", **asked.parameters()), 303)


@bp.post("/inbox/views/<int:id>/forget")
@requires(Permission.TICKETS_WORK)
def forget_view(id: int) -> ResponseReturnValue:
    """Remove a saved view; its tickets stay as they are."""
    with transaction() as session:
        session.delete(_changeable(id))
    return redirect(url_for(".inbox"), 303)


def _changeable(id: int) -> SavedView:
    view = visible_or_404(select(SavedView).where(SavedView.id == id), current_user)
    if not saved_views.may_change(view, current_user):
        raise Forbidden
    return view


def _new(form: SaveViewForm) -> str:
    asked = Asked.read(request.args)
    there = saved_views.changeable(current_user)
    return render_template(
        "tickets/view.html", form=form, view=None, asked=asked, words=in_words(asked), there=there
    )


def _edit(form: SaveViewForm, view: SavedView) -> str:
    asked = Asked.read(view.asked, View.ALL)
    return render_template("tickets/view.html", form=form, view=view, asked=asked, words=in_words(asked))
