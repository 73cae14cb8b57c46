"""Changing many tickets at once: choose, look, do, and take back."""

from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from ...core.i18n import _
from .. import bulk, fields, service
from ..errors import NothingChosen
from ..field_values import BadValue, facts, offers, shown
from ..forms import CATEGORIES, PRIORITIES, STATUSES
from ..models import BulkRun, Category, Priority, Status
from ..models_fields import TicketField
from .shared import bp


@bp.get("/inbox/bulk")
@requires(Permission.TICKETS_WORK)
def choose() -> ResponseReturnValue:
    """What to do with the chosen tickets; with a change asked for, what it would do to each."""
    tickets = bulk.chosen(request.args.getlist("ticket", type=int), current_user)
    change, wrong = None, ""
    try:
        change = _change(request.args)
    except BadValue as error:
        wrong = str(error.message)
    people = {each.id: each.name for each in service.team()}
    return render_template(
        "tickets/bulk.html",
        tickets=tickets,
        change=change,
        wrong=wrong,
        asked=request.args.get("change", ""),
        text=request.args.get("text", ""),
        rows=bulk.preview(tickets, change) if change else [],
        say=partial(_say, people),
        choices=_choices(people),
    )


@bp.post("/inbox/bulk")
@requires(Permission.TICKETS_WORK)
def apply() -> ResponseReturnValue:
    """Make the change."""
    change = _change(request.form)
    with transaction():
        tickets = bulk.chosen(request.form.getlist("ticket", type=int), current_user)
        if change is None or not tickets:
            raise NothingChosen
        made = bulk.run(tickets, change, current_user)
    return redirect(url_for(".bulk_result", id=made.id), 303)


@bp.get("/inbox/bulk/<int:id>")
@requires(Permission.TICKETS_WORK)
def bulk_result(id: int) -> ResponseReturnValue:
    """What a change did to each ticket."""
    made = visible_or_404(select(BulkRun).where(BulkRun.id == id), current_user)
    people = {each.id: each.name for each in service.team()}
    return render_template("tickets/bulk_result.html", run=made, say=partial(_say, people))


@bp.post("/inbox/bulk/<int:id>/undo")
@requires(Permission.TICKETS_WORK)
def bulk_undo(id: int) -> ResponseReturnValue:
    """Take a change back."""
    with transaction():
        made = visible_or_404(select(BulkRun).where(BulkRun.id == id), current_user)
        bulk.undo(made, current_user)
    return redirect(url_for(".bulk_result", id=id), 303)


def _change(asked: Any) -> bulk.Change | None:
    """What a form asks for: `status:open`, `tag:` and a text, `field:3:1`, `field:3:` and a text, `empty:3`."""
    kind, _colon, value = asked.get("change", "").partition(":")
    text = asked.get("text", "").strip()
    if kind == "empty":
        return bulk.read(bulk.FIELD + value, "")
    if kind == "field":
        id, _colon, value = value.partition(":")
        value = value or text
        return bulk.read(bulk.FIELD + id, value) if value else None
    return bulk.read(kind, text if kind == "tag" else value)


def _choices(people: dict[int, str]) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Groups of changes: (title, [(value, label)])."""
    anyone = [("assignee:", _("Nobody")), *((f"assignee:{id}", name) for id, name in people.items())]
    groups: list[tuple[str, list[tuple[str, Any]]]] = [
        (_("Assigned to"), anyone),
        (_("Status"), [(f"status:{key}", label) for key, label in STATUSES.items() if key != Status.NEW]),
        (_("Priority"), [(f"priority:{key}", label) for key, label in PRIORITIES.items()]),
        (_("About"), [(f"category:{key}", label) for key, label in CATEGORIES.items()]),
        (_("Tags"), [("tag:", _("Add the tag below"))]),
    ]
    return groups + [(field.name, _values(field)) for field in fields.offered(current_user)]


def _values(field: TicketField) -> list[tuple[str, Any]]:
    picked = [(f"field:{field.id}:{key}", label) for key, label in offers(field)]
    typed = [(f"field:{field.id}:", _("What is written below"))]
    values = [*(picked if field.is_chosen else typed), (f"empty:{field.id}", _("Nothing"))]
    return [(value, f"{field.name}: {label}") for value, label in values]


def _say(people: dict[int, str], kind: str, value: Any) -> str:
    """A value in words."""
    if kind.startswith(bulk.FIELD):
        field = bulk.field_of(kind)
        return shown(facts(field), value) if field else "—"
    if kind == "assignee":
        return people.get(value, _("Nobody") if value is None else "—")
    if kind == "tag":
        return ", ".join(value) or "—"
    kinds: dict[str, Any] = {
        "status": (Status, STATUSES),
        "priority": (Priority, PRIORITIES),
        "category": (Category, CATEGORIES),
    }
    states, labels = kinds[kind]
    return str(labels[states(value)])
