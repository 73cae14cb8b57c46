"""Due times in words, in the reader's language and time zone."""

from datetime import datetime, timedelta
from typing import Protocol

from ..core import clock, i18n
from ..core.i18n import _
from .models import NEVER, Clock

SOON = timedelta(hours=2)


class HasDue(Protocol):
    """A ticket, or a line of a list."""

    @property
    def due_at(self) -> datetime: ...


def when(moment: datetime) -> str:
    """“today 13:00”, “Mon 09:30”, “4 December 2026 09:30”."""
    local = moment.astimezone(i18n.zone())
    days = (local.date() - clock.now().astimezone(i18n.zone()).date()).days
    time = i18n.format_time(moment)
    if days == 0:
        return _("today %(time)s", time=time)
    if 0 < days < 7:
        return f"{i18n.format_weekday(local.date())} {time}"
    return f"{i18n.format_date(moment)} {time}"


def in_words(ticket: HasDue) -> str:
    """“due Mon 09:30”, “overdue by 20 min”; nothing while the team owes nothing."""
    if ticket.due_at == NEVER:
        return ""
    late = clock.now() - ticket.due_at
    if late >= timedelta(0):
        # After a day nobody counts the minutes.
        shown = timedelta(days=late.days) if late.days else max(late, timedelta(minutes=1))
        return _("overdue by %(time)s", time=i18n.duration(shown.total_seconds()))
    return _("due %(when)s", when=when(ticket.due_at))


def tone(ticket: HasDue) -> str:
    left = ticket.due_at - clock.now()
    if left <= timedelta(0):
        return "bad"
    return "warn" if left < SOON else ""


def what(kind: Clock | None) -> str:
    """What is due."""
    names = {
        Clock.FIRST: _("First answer"),
        Clock.NEXT: _("Next answer"),
        Clock.RESOLUTION: _("Solution"),
    }
    return names[kind] if kind else ""
