"""Everything that ever happened to a ticket, and how long the team took; for the team."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...core.access import Permission, requires
from ...core.paging import page
from .. import due, promises, telling
from ..models import TicketEvent
from .shared import bp, ticket_or_404

SIZE = 100
#: A long conversation has many clocks of further answers.
CLOCKS = 20


@bp.get("/inbox/<int:number>/timeline")
@requires(Permission.TICKETS_WORK)
def timeline(number: int) -> ResponseReturnValue:
    """Every change in order, with who made it and when; a page at a time."""
    ticket = ticket_or_404(number)
    changes = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    found = page(
        changes.options(joinedload(TicketEvent.actor)),
        request.args.get("cursor"),
        TicketEvent.id,
        descending=False,
        size=SIZE,
    )
    return render_template(
        "tickets/timeline.html",
        ticket=ticket,
        page=found,
        lines=[(event, telling.recount(event)) for event in found],
        clocks=promises.readings(ticket)[-CLOCKS:],
        what=due.what,
    )
