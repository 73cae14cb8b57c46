"""Putting a ticket off, tagging it, merging it into another and splitting it."""

from datetime import datetime, time, timedelta

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import clock, i18n
from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from ...core.errors import HubError
from ...core.i18n import _
from .. import context, service
from ..errors import AlreadyMerged, NotLater
from ..forms import STATUSES, MergeForm, SnoozeForm, SplitForm, TagsForm
from ..models import Ticket
from .shared import bp, list_asked, ticket_or_404

MORNING = time(9)


def later() -> list[tuple[str, datetime]]:
    """Moments that people put things off to, with their names, in the viewer's zone."""
    here = clock.now().astimezone(i18n.zone())
    tomorrow = datetime.combine(here.date() + timedelta(days=1), MORNING, i18n.zone())
    monday = datetime.combine(here.date() + timedelta(days=7 - here.weekday()), MORNING, i18n.zone())
    return [
        (_("In three hours"), here + timedelta(hours=3)),
        (_("Tomorrow morning"), tomorrow),
        (_("Monday morning"), monday),
    ]


@bp.post("/tickets/<int:number>/snooze")
@requires(Permission.TICKETS_WORK)
def snooze(number: int) -> ResponseReturnValue:
    """Put the ticket off; `until` is a moment, or a wall time in the viewer's zone. Empty wakes it."""
    ticket, form = ticket_or_404(number), SnoozeForm()
    with transaction():
        service.snooze(ticket, current_user, _moment(form.until.data or ""))
    return redirect(url_for(".inbox_show", number=number, **list_asked()), 303)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotLater from None
    return moment if moment.tzinfo else moment.replace(tzinfo=i18n.zone())


@bp.post("/tickets/<int:number>/tags")
@requires(Permission.TICKETS_WORK)
def tags(number: int) -> ResponseReturnValue:
    """Replace the tags, which are separated by commas."""
    ticket, form = ticket_or_404(number), TagsForm()
    if not form.validate_on_submit():
        abort(422)
    with transaction():
        service.set_tags(ticket, current_user, (form.tags.data or "").split(","))
    return redirect(url_for(".inbox_show", number=number, **list_asked()), 303)


@bp.get("/inbox/<int:number>/merge")
@requires(Permission.TICKETS_WORK)
def merging(number: int) -> ResponseReturnValue:
    """Choose the ticket that this one goes into."""
    return _merging(ticket_or_404(number), MergeForm())


@bp.post("/inbox/<int:number>/merge")
@requires(Permission.TICKETS_WORK)
def merge(number: int) -> ResponseReturnValue:
    """Merge this ticket into another; what different people asked needs a second word."""
    ticket, form = ticket_or_404(number), MergeForm()
    if not form.validate_on_submit():
        return _merging(ticket, form), 422
    target = ticket_or_404(form.into.data)
    try:
        with transaction():
            record = service.merge(ticket, target, current_user, sure=form.sure.data)
    except HubError as error:
        form.blame(error)
        return _merging(ticket, form), error.status
    flash(
        _("№ %(number)s is part of this ticket now.", number=number),
        f"undo:{url_for('.unmerge', number=number)}",
    )
    return redirect(url_for(".inbox_show", number=_number(record.target_id)), 303)


@bp.post("/inbox/<int:number>/unmerge")
@requires(Permission.TICKETS_WORK)
def unmerge(number: int) -> ResponseReturnValue:
    """Take a merge back."""
    ticket = ticket_or_404(number)
    with transaction():
        record = service.merge_of(ticket)
        if record is None:
            raise AlreadyMerged
        service.unmerge(record, current_user)
    return redirect(url_for(".inbox_show", number=number), 303)


@bp.get("/inbox/<int:number>/split")
@requires(Permission.TICKETS_WORK)
def splitting(number: int) -> ResponseReturnValue:
    """Choose the messages that become a ticket of their own."""
    return _splitting(ticket_or_404(number), SplitForm())


@bp.post("/inbox/<int:number>/split")
@requires(Permission.TICKETS_WORK)
def split(number: int) -> ResponseReturnValue:
    """Make a ticket of the chosen messages."""
    ticket, form = ticket_or_404(number), SplitForm()
    if not form.validate_on_submit():
        return _splitting(ticket, form), 422
    try:
        with transaction():
            chosen = request.form.getlist("message", type=int)
            new = service.split(ticket, current_user, chosen, form.subject.data)
    except HubError as error:
        form.blame(error)
        return _splitting(ticket, form), error.status
    return redirect(url_for(".inbox_show", number=new.number), 303)


def _merging(ticket: Ticket, form: MergeForm) -> str:
    others = [each for each in context.others(ticket) if each.merged_into_id is None]
    return render_template("tickets/merge.html", ticket=ticket, form=form, others=others, labels=STATUSES)


def _splitting(ticket: Ticket, form: SplitForm) -> str:
    messages = [each for each in service.thread(ticket, current_user) if each.moved_to_id is None]
    return render_template("tickets/split.html", ticket=ticket, form=form, messages=messages)


def _number(ticket_id: int) -> int:
    return visible_or_404(select(Ticket).where(Ticket.id == ticket_id), current_user).number
