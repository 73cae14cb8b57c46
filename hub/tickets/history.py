"""What happens to a ticket, written down in order."""

import functools
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core.access import Role, Somebody, visible
from ..core.database import db, insert_now
from ..core.errors import NotFound
from .models import Ticket, TicketEvent


def lock(ticket: Ticket) -> None:
    """Take the ticket's row until the transaction ends, as it is now."""
    # Two writers would otherwise take the same `seq`. `key_share`: who adds a row that points to the ticket, such as how
    # far they have read, need not wait for it; both would do so for each other otherwise.
    if ticket.id not in _held():
        db.session.flush()  # what was changed so far must not be read away
        db.session.refresh(ticket, with_for_update={"of": Ticket, "key_share": True})
        _held().add(ticket.id)


@functools.cache
def _to_lock(role: Role) -> Select[Any]:
    """Built once per role: every message asks it."""
    return (
        visible(select(Ticket), Somebody(role))
        .where(Ticket.number == bindparam("number"))
        .options(joinedload(Ticket.assignee))  # whoever hears of the ticket is told who has it
        .with_for_update(of=Ticket, key_share=True)
    )


def locked(user: User, number: int) -> Ticket:
    """The ticket with this number, locked already: for doors that only write. Raises NotFound."""
    ticket = db.session.scalar(_to_lock(user.role), {"reader": user.id, "number": number})
    if ticket is None:
        raise NotFound
    _held().add(ticket.id)
    return ticket


def _held() -> set[int]:
    """Ids of the tickets that the open transaction has locked."""
    session = db.session()
    now = session.get_transaction()
    known = session.info.get("tickets_held")
    if known is None or known[0] is not now:
        known = session.info["tickets_held"] = (now, set())
    held: set[int] = known[1]
    return held


def happened(ticket: Ticket, actor: User | None, kind: str, **data: Any) -> None:
    """Add an event; nobody as its actor means the hub itself."""
    insert_now(
        TicketEvent,
        ticket_id=ticket.id,
        after_seq=ticket.last_seq,
        actor_id=actor.id if actor else None,
        kind=kind,
        data=data,
    )


@functools.cache
def _events() -> Select[Any]:
    happened = select(TicketEvent).where(
        TicketEvent.ticket_id == bindparam("ticket"), TicketEvent.id > bindparam("after")
    )
    return happened.options(joinedload(TicketEvent.actor)).order_by(TicketEvent.id)


def events(ticket: Ticket, *, after: int = 0) -> list[TicketEvent]:
    """Everything that happened past the event `after`, in order."""
    return list(db.session.scalars(_events(), {"ticket": ticket.id, "after": after}))


def last_event(ticket: Ticket) -> int:
    """The id of the last event; 0 when there is none."""
    return db.session.scalar(select(func.max(TicketEvent.id)).where(TicketEvent.ticket_id == ticket.id)) or 0
