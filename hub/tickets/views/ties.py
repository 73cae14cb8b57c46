"""Following a ticket, and linking it with others."""

from flask import abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible
from ...core.database import db, transaction
from ...core.errors import HubError
from ...core.i18n import _
from .. import ties
from ..forms import TieForm
from ..models import Ticket
from .shared import bp, list_asked, ticket_or_404


@bp.post("/inbox/<int:number>/follow")
@requires(Permission.TICKETS_WORK)
def follow(number: int) -> ResponseReturnValue:
    """Hear of every message, or no longer."""
    ticket = ticket_or_404(number)
    with transaction():
        if ties.follows(ticket, current_user):
            ties.unfollow(ticket, current_user)
        else:
            ties.follow(ticket, current_user)
    return _back(number)


@bp.post("/inbox/<int:number>/ties")
@requires(Permission.TICKETS_WORK)
def tie(number: int) -> ResponseReturnValue:
    """Link the ticket with another one by its number, or part them."""
    ticket, form = ticket_or_404(number), TieForm()
    if not form.validate_on_submit():
        abort(422)
    wanted = visible(select(Ticket).where(Ticket.number == form.other.data), current_user)
    other = db.session.scalar(wanted)
    if other is None:
        flash(_("There is no ticket № %(number)s.", number=form.other.data), "bad")
        return _back(number)
    try:
        with transaction():
            (ties.untie if form.part.data else ties.tie)(ticket, other, current_user)
    except HubError as error:
        flash(str(error.message), "bad")
    return _back(number)


def _back(number: int) -> ResponseReturnValue:
    return redirect(url_for(".inbox_show", number=number, **list_asked()), 303)
