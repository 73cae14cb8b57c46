"""The programme's own fields: managers say which there are, the team fills them in beside a thread."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible, visible_or_404
from ...core.database import db, transaction
from ...core.errors import HubError
from ...core.i18n import _
from .. import field_defining as defining
from .. import fields as rules
from ..field_values import control, offers
from ..forms import CATEGORIES
from ..forms_fields import KINDS, FieldForm
from ..models_fields import TicketField
from .shared import bp, list_asked, ticket_or_404


@bp.get("/inbox/fields")
@requires(Permission.TICKETS_MANAGE)
def fields() -> ResponseReturnValue:
    """All of them in their order, the archived ones last."""
    order = (TicketField.archived_at.is_not(None), TicketField.position, TicketField.id)
    found = db.session.scalars(visible(select(TicketField), current_user).order_by(*order))
    return render_template("tickets/fields.html", fields=list(found), kinds=KINDS, categories=CATEGORIES)


@bp.get("/inbox/fields/new")
@requires(Permission.TICKETS_MANAGE)
def new_field() -> ResponseReturnValue:
    """The form for a new one."""
    return _form(FieldForm())


@bp.post("/inbox/fields")
@requires(Permission.TICKETS_MANAGE)
def create_field() -> ResponseReturnValue:
    """Add one."""
    return _save(FieldForm(), TicketField(choices=[]))


@bp.get("/inbox/fields/<int:id>")
@requires(Permission.TICKETS_MANAGE)
def edit_field(id: int) -> ResponseReturnValue:
    """The form of a known one."""
    field = _field(id)
    return _form(FieldForm.of(field), field)


@bp.post("/inbox/fields/<int:id>")
@requires(Permission.TICKETS_MANAGE)
def update_field(id: int) -> ResponseReturnValue:
    """Keep the change."""
    field = _field(id)
    form = FieldForm()
    form.kind.data = field.kind  # whatever was sent
    return _save(form, field)


@bp.post("/inbox/fields/<int:id>/archive")
@requires(Permission.TICKETS_MANAGE)
def archive_field(id: int) -> ResponseReturnValue:
    """Take one out of use, or with `back` into use again."""
    with transaction():
        defining.archive(current_user, _field(id), back="back" in request.form)
    return redirect(url_for(".fields"), 303)


@bp.post("/inbox/<int:number>/fields")
@requires(Permission.TICKETS_WORK)
def fill_fields(number: int) -> ResponseReturnValue:
    """Fill in what belongs to a ticket; what is not sent stays."""
    ticket = ticket_or_404(number)
    try:
        with transaction():
            wanted = request.form.getlist("of", type=int)[: rules.MOST]
            typed = {id: request.form.get(control(id), "") for id in wanted}
            rules.fill_in(ticket, current_user, typed)
    except HubError as error:
        flash(str(error.message), "bad")
    return redirect(url_for(".inbox_show", number=number, **list_asked()), 303)


@bp.get("/inbox/filter")
@requires(Permission.TICKETS_WORK)
def field_filter() -> ResponseReturnValue:
    """Which of them lists can be narrowed to; fetched when the menu opens, so that no list waits for it."""
    known, asked = rules.picked(current_user), request.args.get("field", "")
    offered = any(asked == f"{each.id}:{key}" for each in known for key, _label in offers(each))
    return render_template(
        "tickets/_field_filter.html",
        fields=[(each, offers(each)) for each in known],
        asked=asked,
        other="" if offered or not rules.read_pair(asked) else rules.say_pair(asked, current_user),
    )


def _field(id: int) -> TicketField:
    field: TicketField = visible_or_404(select(TicketField).where(TicketField.id == id), current_user)
    return field


def _save(form: FieldForm, field: TicketField) -> ResponseReturnValue:
    known = field if field.id else None
    if not form.validate_on_submit():
        return _form(form, known), 422
    try:
        with transaction():
            defining.save(current_user, field, form.as_data(field))
    except HubError as error:
        form.blame(error)
        return _form(form, known), error.status
    flash(_("“%(name)s” is saved.", name=field.name))
    return redirect(url_for(".fields"), 303)


def _form(form: FieldForm, field: TicketField | None = None) -> str:
    form.make_room()
    return render_template("tickets/field.html", form=form, field=field, kinds=KINDS)
