"""Whose turn it is, and when a ticket is settled."""

from datetime import datetime, timedelta

from sqlalchemy import select

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can
from ..core.database import db
from ..core.errors import Forbidden
from ..core.settings import settings
from . import fields, news, promises, rating
from .errors import AlreadyMerged, NotLater, TicketClosed
from .history import happened, lock
from .models import Status, Ticket


def set_status(ticket: Ticket, actor: User, status: Status) -> None:
    """Move the ticket to another state; the partner may only resolve or reopen.

    Raises Forbidden, TicketClosed if a partner would reopen one that is over, FieldsMissing.
    """
    lock(ticket)
    if ticket.merged_into_id is not None:
        raise AlreadyMerged
    if not can(actor, Permission.TICKETS_WORK):
        if status not in (Status.RESOLVED, Status.OPEN):
            raise Forbidden
        if is_over(ticket):
            raise TicketClosed
    was_resolved = ticket.status is Status.RESOLVED
    if ticket.is_live and not status.is_live:
        fields.check_complete(ticket, actor)
    turn(ticket, actor, status)
    if status is Status.RESOLVED and not was_resolved:
        rating.ask(ticket)
    promises.follow(ticket)
    news.changed(ticket)


def turn(ticket: Ticket, actor: User | None, status: Status) -> None:
    """Move a locked ticket to `status`; nobody as the actor means the hub itself."""
    if ticket.status is status:
        return
    happened(ticket, actor, "status", before=ticket.status, after=status)
    ticket.reopened += status.is_live and not ticket.status.is_live
    ticket.status = status
    if status.is_live:
        ticket.resolved_at = ticket.closed_at = None
    elif status is Status.RESOLVED:
        ticket.resolved_at, ticket.closed_at = clock.now(), None
    else:  # what was resolved before stays resolved at that moment
        ticket.closed_at = clock.now()


def snooze(ticket: Ticket, actor: User, until: datetime | None) -> None:
    """Put the ticket off until a moment, or wake it with None. Raises NotLater, TicketClosed."""
    lock(ticket)
    if until is not None:
        if not ticket.is_live:
            raise TicketClosed
        if until <= clock.now():
            raise NotLater
        happened(ticket, actor, "snoozed", until=until.isoformat())
    ticket.snooze(until)
    news.changed(ticket)


def wake_due(limit: int = 200) -> int:
    """Bring back what was put off until now; how many there were."""
    statement = select(Ticket).where(Ticket.snoozed_until <= clock.now()).limit(limit)
    found = list(db.session.scalars(statement.with_for_update(skip_locked=True)))
    for ticket in found:
        ticket.snooze(None)
        happened(ticket, None, "woke")
        news.changed(ticket)
    return len(found)


def is_over(ticket: Ticket) -> bool:
    """Closed, and settled for so long that an answer is a new matter."""
    if ticket.status is not Status.CLOSED or ticket.settled_at is None:
        return False
    return clock.now() - ticket.settled_at >= timedelta(days=settings.ticket_reopen_days)


def close_settled(limit: int = 200) -> int:
    """Close tickets that were resolved so long ago that nobody will object; how many there were."""
    before = clock.now() - timedelta(days=settings.ticket_reopen_days)
    statement = select(Ticket).where(Ticket.status == Status.RESOLVED, Ticket.resolved_at <= before)
    found = list(db.session.scalars(statement.limit(limit).with_for_update(skip_locked=True)))
    for ticket in found:
        turn(ticket, None, Status.CLOSED)
        news.changed(ticket)
    return len(found)
