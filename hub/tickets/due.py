"""Due times in words, in the reader's language and time zone."""

from datetime import datetime, timedelta

from ..core import clock, i18n
from ..core.i18n import _
from .models import Clock, Ticket

SOON = timedelta(hours=2)


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


def in_words(ticket: Ticket) -> str:
    """“due Mon 09:30”, “overdue by 20 min”; nothing while the team owes nothing."""
    if ticket.due is None:
        return ""
    if ticket.is_overdue:
        late = clock.now() - ticket.due
        # After a day nobody counts the minutes.
        shown = timedelta(days=late.days) if late.days else max(late, timedelta(minutes=1))
        return _("overdue by %(time)s", time=i18n.duration(shown.total_seconds()))
    return _("due %(when)s", when=when(ticket.due))


def tone(ticket: Ticket) -> str:
    if ticket.due is None:
        return ""
    if ticket.is_overdue:
        return "bad"
    return "warn" if ticket.due - clock.now() < SOON else ""


def what(kind: Clock | None) -> str:
    """What is due."""
    names = {
        Clock.FIRST: _("First answer"),
        Clock.NEXT: _("Next answer"),
        Clock.RESOLUTION: _("Solution"),
    }
    return names[kind] if kind else ""
