"""A webinar for calendar programs (RFC 5545, RFC 5546: METHOD PUBLISH)."""

from datetime import timedelta
from typing import Any

from ..core.i18n import _
from .models import Webinar

PRODUCT = "-//Partner Hub//Webinars//EN"


def calendar(webinar: Webinar, *, url: str, host: str, has_seat: bool) -> bytes:
    """One event in UTC, which needs no VTIMEZONE and means the same everywhere.

    Its UID never changes and its SEQUENCE grows with every edit, so that importing again replaces it.
    The join link is only for those who have a seat.
    """
    # Imported here: it takes 8 MB, and few put a webinar into their calendar.
    from icalendar import Alarm, Calendar, Event

    event = Event()
    event.add("uid", f"webinar-{webinar.uid}@{host}")
    event.add("sequence", webinar.sequence)
    event.add("dtstamp", webinar.updated_at)
    event.add("last-modified", webinar.updated_at)
    event.add("created", webinar.created_at)
    event.add("dtstart", webinar.starts_at)
    event.add("dtend", webinar.ends_at)
    event.add("summary", webinar.title)
    event.add("status", "CANCELLED" if webinar.is_cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("url", url)
    join = webinar.join_url if has_seat else ""
    event.add("location", join or url)
    event.add("description", "\n\n".join(_lines(webinar, url, join)))
    if not webinar.is_cancelled:
        event.add_component(_remind(Alarm(), webinar))
    published = Calendar()
    published.add("prodid", PRODUCT)
    published.add("version", "2.0")
    published.add("method", "PUBLISH")
    published.add_component(event)
    return published.to_ical()


def _lines(webinar: Webinar, url: str, join: str) -> list[str]:
    first = _("Host: %(name)s", name=webinar.host)
    entry = [_("Join: %(url)s", url=join)] if join else []
    return [first, *entry, _("Details: %(url)s", url=url)]


def _remind(alarm: Any, webinar: Webinar) -> Any:
    alarm.add("action", "DISPLAY")
    alarm.add("description", webinar.title)
    alarm.add("trigger", timedelta(minutes=-15))
    return alarm
