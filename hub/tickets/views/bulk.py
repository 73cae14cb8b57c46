"""Changing many tickets at once: choose, look, do, and take back."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from ...core.i18n import _
from .. import bulk, service
from ..errors import NothingChosen
from ..forms import CATEGORIES, PRIORITIES, STATUSES
from ..models import BulkRun, Category, Priority, Status
from .shared import bp


@bp.get("/inbox/bulk")
@requires(Permission.TICKETS_WORK)
def choose() -> ResponseReturnValue:
    """What to do with the chosen tickets; with a change asked for, what it would do to each."""
    tickets = bulk.chosen(request.args.getlist("ticket", type=int), current_user)
    change = _change(request.args)
    return render_template(
        "tickets/bulk.html",
        tickets=tickets,
        change=change,
        rows=bulk.preview(tickets, change) if change else [],
        say=_say,
        choices=_choices(),
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
    return render_template("tickets/bulk_result.html", run=made, say=_say)


@bp.post("/inbox/bulk/<int:id>/undo")
@requires(Permission.TICKETS_WORK)
def bulk_undo(id: int) -> ResponseReturnValue:
    """Take a change back."""
    with transaction():
        made = visible_or_404(select(BulkRun).where(BulkRun.id == id), current_user)
        bulk.undo(made, current_user)
    return redirect(url_for(".bulk_result", id=id), 303)


def _change(asked: Any) -> bulk.Change | None:
    kind, _colon, value = asked.get("change", "").partition(":")
    return bulk.read(kind, asked.get("tag", "") if kind == "tag" else value)


def _choices() -> list[tuple[str, list[tuple[str, Any]]]]:
    """Groups of changes: (title, [(value, label)])."""
    people = [("assignee:", _("Nobody"))] + [(f"assignee:{each.id}", each.name) for each in service.team()]
    return [
        (_("Assigned to"), people),
        (_("Status"), [(f"status:{key}", label) for key, label in STATUSES.items() if key != Status.NEW]),
        (_("Priority"), [(f"priority:{key}", label) for key, label in PRIORITIES.items()]),
        (_("About"), [(f"category:{key}", label) for key, label in CATEGORIES.items()]),
        (_("Tags"), [("tag:", _("Add the tag below"))]),
    ]


def _say(kind: str, value: Any) -> str:
    """A value in words."""
    if kind == "assignee":
        names = {each.id: each.name for each in service.team()}
        return names.get(value, _("Nobody") if value is None else "—")
    if kind == "tag":
        return ", ".join(value) or "—"
    kinds: dict[str, Any] = {
        "status": (Status, STATUSES),
        "priority": (Priority, PRIORITIES),
        "category": (Category, CATEGORIES),
    }
    states, labels = kinds[kind]
    return str(labels[states(value)])
