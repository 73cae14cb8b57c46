"""What happens to a ticket, written down in order."""

import functools
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core.database import db
from .models import Ticket, TicketEvent


def lock(ticket: Ticket) -> None:
    """Take the ticket's row until the transaction ends, as it is now."""
    # Two writers would otherwise take the same `seq`.
    db.session.refresh(ticket, with_for_update={"of": Ticket})


def happened(ticket: Ticket, actor: User | None, kind: str, **data: Any) -> None:
    """Add an event; nobody as its actor means the hub itself."""
    event = TicketEvent(
        ticket_id=ticket.id,
        after_seq=ticket.last_seq,
        actor_id=actor.id if actor else None,
        kind=kind,
        data=data,
    )
    db.session.add(event)


@functools.cache
def _events() -> Select[Any]:
    happened = select(TicketEvent).where(TicketEvent.ticket_id == bindparam("ticket"))
    return happened.options(joinedload(TicketEvent.actor)).order_by(TicketEvent.id)


def events(ticket: Ticket) -> list[TicketEvent]:
    return list(db.session.scalars(_events(), {"ticket": ticket.id}))
