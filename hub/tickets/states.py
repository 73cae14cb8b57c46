"""Whose turn it is, and when a ticket is settled."""

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can
from ..core.errors import Forbidden
from . import news
from .errors import TicketClosed
from .history import happened, lock
from .models import LIVE, Status, Ticket


def set_status(ticket: Ticket, actor: User, status: Status) -> None:
    """Move the ticket to another state; the partner may only resolve or reopen.

    Raises Forbidden, or TicketClosed if a partner would reopen a closed one.
    """
    lock(ticket)
    if not can(actor, Permission.TICKETS_WORK):
        if status not in (Status.RESOLVED, Status.OPEN):
            raise Forbidden
        if ticket.status is Status.CLOSED:
            raise TicketClosed
    turn(ticket, actor, status)
    news.changed(ticket)


def turn(ticket: Ticket, actor: User, status: Status) -> None:
    if ticket.status is status:
        return
    # Whose turn it is shows in the thread anyway; only ends and reopenings are told as events.
    if not (status in LIVE and ticket.status in LIVE):
        happened(ticket, actor, "status", before=ticket.status, after=status)
    ticket.status = status
    ticket.resolved_at = clock.now() if status is Status.RESOLVED else None
    ticket.closed_at = clock.now() if status is Status.CLOSED else None
