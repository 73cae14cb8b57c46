"""The team's inbox: all tickets in three panes, and what only the team does with them."""

from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...accounts.models import User
from ...core.access import Permission, requires
from ...core.database import db, transaction
from .. import inbox as queue
from .. import service
from ..forms import AssignForm, ClassifyForm
from ..models import Category, Priority, Status
from .shared import beside, bp, conversation, desk, ticket_or_404

State = TypeVar("State", bound=StrEnum)


@bp.get("/inbox")
@requires(Permission.TICKETS_WORK)
def inbox() -> ResponseReturnValue:
    """A view of the inbox, with no ticket open."""
    return render_template("tickets/inbox.html", ticket=None, **desk(**_asked()))


@bp.get("/inbox/<int:number>")
@requires(Permission.TICKETS_WORK)
def inbox_show(number: int) -> ResponseReturnValue:
    """A ticket in the inbox, with the list it was opened from."""
    ticket = ticket_or_404(number)
    asked = {"view": queue.home_of(ticket, current_user)} | _asked()
    return render_template("tickets/inbox.html", **desk(**asked), **beside(ticket), **conversation(ticket))


@bp.get("/inbox/queue")
@requires(Permission.TICKETS_WORK)
def inbox_queue() -> ResponseReturnValue:
    """The list alone: what a page fetches when something has moved."""
    return render_template(
        "tickets/_queue.html", current=request.args.get("current", 0, type=int), **desk(**_asked())
    )


@bp.post("/tickets/<int:number>/assign")
@requires(Permission.TICKETS_WORK)
def assign(number: int) -> ResponseReturnValue:
    """Give the ticket to a colleague, take it, or give it back to the team."""
    ticket, form = ticket_or_404(number), AssignForm()
    if not form.validate_on_submit():
        abort(422)
    with transaction():
        assignee = db.session.get(User, form.assignee.data) if form.assignee.data else None
        service.assign(ticket, current_user, assignee)
    return redirect(url_for(".inbox_show", number=number), 303)


@bp.post("/tickets/<int:number>/classify")
@requires(Permission.TICKETS_WORK)
def classify(number: int) -> ResponseReturnValue:
    """Set priority and category."""
    ticket, form = ticket_or_404(number), ClassifyForm()
    if not form.validate_on_submit():
        abort(422)
    with transaction():
        service.classify(
            ticket, current_user, priority=Priority(form.priority.data), category=Category(form.category.data)
        )
    return redirect(url_for(".inbox_show", number=number), 303)


def _asked() -> dict[str, Any]:
    """Which list the address asks for; what it does not know is left out."""
    asked = {
        "view": _one_of(queue.View, request.args.get("view")),
        "cursor": request.args.get("cursor"),
        "status": _one_of(Status, request.args.get("status")),
        "category": _one_of(Category, request.args.get("category")),
        "priority": _one_of(Priority, request.args.get("priority")),
    }
    return {name: value for name, value in asked.items() if value}


def _one_of(states: type[State], value: str | None) -> State | None:
    return states(value) if value in list(states) else None
