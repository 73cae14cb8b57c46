"""Warns before a promise is broken, and says so when it is."""

from sqlalchemy import select, update

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, roles_with
from ..core.database import db, touched
from ..notifications.service import notify
from . import news
from .history import happened
from .models import NEVER, Alarm, Ticket


def warn(limit: int = 200) -> int:
    """Tell whoever works on it that something is due soon; how many tickets."""
    now = clock.now()
    soon = select(Ticket).where(Ticket.warn_at <= now, Ticket.due_at > now, Ticket.alarm == Alarm.NONE)
    return sum(_tell(ticket, Alarm.SOON) for ticket in db.session.scalars(soon.limit(limit)).all())


def escalate(limit: int = 200) -> int:
    """Tell them and the managers that something is overdue; how many tickets."""
    now = clock.now()
    late = select(Ticket).where(Ticket.due_at <= now, Ticket.due_at < NEVER, Ticket.alarm != Alarm.OVERDUE)
    return sum(_tell(ticket, Alarm.OVERDUE) for ticket in db.session.scalars(late.limit(limit)).all())


def _tell(ticket: Ticket, alarm: Alarm) -> int:
    # Claimed by the row: of two workers one tells.
    claim = update(Ticket).where(
        Ticket.id == ticket.id, Ticket.alarm != alarm, Ticket.due_at == ticket.due_at
    )
    if not touched(claim.values(alarm=alarm)):
        return 0
    listeners = [ticket.assignee] if ticket.assignee else news.everyone()
    if alarm is Alarm.OVERDUE:
        happened(ticket, None, "overdue", clock=ticket.due_kind)
        listeners += _managers()
    params = {"subject": ticket.subject, "number": str(ticket.number)}
    notify(listeners, f"ticket.{alarm}", params, f"/inbox/{ticket.number}", by_mail=alarm is Alarm.OVERDUE)
    news.changed(ticket)
    return 1


def _managers() -> list[User]:
    statement = select(User).where(
        User.role.in_(roles_with(Permission.TICKETS_MANAGE)), User.disabled_at.is_(None)
    )
    return list(db.session.scalars(statement))
