"""The team's inbox: all tickets in three panes, and what only the team does with them."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...accounts.models import User
from ...core.access import Permission, requires
from ...core.database import db, transaction
from ...core.settings import settings
from .. import context, fields, inbox, service, ties
from ..field_values import offers
from ..forms import CATEGORIES, PRIORITIES, STATUSES, AssignForm, ClassifyForm
from ..models import Category, Priority
from ..scores import SCORES
from . import moving
from .shared import bp, conversation, desk, list_asked, ticket_or_404


@bp.get("/inbox", endpoint="inbox")
@requires(Permission.TICKETS_WORK)
def index() -> ResponseReturnValue:
    """A view of the inbox, with no ticket open."""
    return render_template("tickets/inbox.html", ticket=None, **desk(inbox.Asked.read(request.args)))


@bp.get("/inbox/<int:number>")
@requires(Permission.TICKETS_WORK)
def inbox_show(number: int) -> ResponseReturnValue:
    """A ticket in the inbox, with the list it was opened from."""
    ticket = ticket_or_404(number)
    asked = inbox.Asked.read(request.args, inbox.home_of(ticket, current_user))
    later = moving.later()
    return render_template("tickets/inbox.html", **desk(asked), **conversation(ticket), later=later)


@bp.get("/inbox/<int:number>/context")
@requires(Permission.TICKETS_WORK)
def inbox_context(number: int) -> ResponseReturnValue:
    """What stands beside a thread; fetched after it, so that the thread need not wait."""
    ticket = ticket_or_404(number)
    part = "HX-Request" in request.headers
    team, around = service.team(), ties.around(ticket)
    beside = context.beside(ticket, around.tied)
    return render_template(
        "tickets/_context.html" if part else "tickets/context.html",
        ticket=ticket,
        asked_for=list_asked(),
        team=team,
        beside=beside,
        fields=[(each, offers(each.field, each.value)) for each in fields.of(ticket, current_user)],
        local_time=context.local_time(ticket.partner),
        last_seen=context.last_seen(ticket),
        followers=[each for each in team if each.id in around.followers],
        scores=SCORES,
        money=context.money(ticket.partner),
        labels=STATUSES,
        categories=CATEGORIES,
        priorities=PRIORITIES,
    )


@bp.get("/inbox/<int:number>/articles")
@requires(Permission.TICKETS_WORK)
def inbox_articles(number: int) -> ResponseReturnValue:
    """Articles that fit the question; a search takes longer than the rest beside the thread."""
    found = context.articles(ticket_or_404(number), current_user)
    return render_template("tickets/_articles.html", articles=found, base_url=settings.base_url)


@bp.get("/inbox/queue")
@requires(Permission.TICKETS_WORK)
def inbox_queue() -> ResponseReturnValue:
    """The list alone: what a page fetches when something has moved."""
    current = request.args.get("current", 0, type=int)
    return render_template("tickets/_queue.html", current=current, **desk(inbox.Asked.read(request.args)))


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
    return redirect(url_for(".inbox_show", number=number, **list_asked()), 303)


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
    return redirect(url_for(".inbox_show", number=number, **list_asked()), 303)
