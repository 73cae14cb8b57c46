"""What the audit log keeps under names of columns, as an admin reads it."""

from collections.abc import Mapping
from typing import Any

from ..core.i18n import LOCALES, Text, _, _l
from ..core.timezones import city
from .forms import ROLES, THEMES

#: What a key of `before` and `after` is called. One that is missing is shown as it is, in words.
KEYS: dict[str, Text] = {
    "about": _l("Description"),
    "audience": _l("Audience"),
    "capacity": _l("Seats"),
    "channels": _l("Channels"),
    "code": _l("Code"),
    "contact": _l("Contact"),
    "country": _l("Country"),
    "currency": _l("Currency"),
    "description": _l("Description"),
    "email": _l("E-mail"),
    "ends_at": _l("End"),
    "has_logo": _l("Logo"),
    "holidays": _l("Days off"),
    "host": _l("Host"),
    "host_about": _l("About the host"),
    "hours": _l("Working hours"),
    "join_url": _l("Link to join"),
    "kind": _l("Kind"),
    "language": _l("Language"),
    "links": _l("Links"),
    "locale": _l("Language"),
    "manager_id": _l("Manager"),
    "name": _l("Name"),
    "names": _l("Name"),
    "needs_approval": _l("Needs approval"),
    "number": _l("Number"),
    "partner": _l("Partner"),
    "promises": _l("Promised times"),
    "reason": _l("Reason"),
    "readers": _l("Who sees it"),
    "recipients": _l("Recipients"),
    "recording_url": _l("Recording"),
    "rights": _l("Rights"),
    "role": _l("Role"),
    "source": _l("Source"),
    "starts_at": _l("Start"),
    "status": _l("Status"),
    "subject": _l("Subject"),
    "tags": _l("Tags"),
    "theme": _l("Theme"),
    "tier": _l("Level"),
    "time_zone": _l("Time zone"),
    "title": _l("Title"),
    "user": _l("Person"),
    "visibility": _l("Who sees it"),
    "warn": _l("Minutes of warning"),
    "website": _l("Website"),
    "zone": _l("Time zone"),
    **LOCALES,
}
_STATUS: dict[str, Text] = {
    "active": _l("Active"),
    "applied": _l("Applied"),
    "archived": _l("Archived"),
    "closed": _l("Closed"),
    "draft": _l("Draft"),
    "published": _l("Published"),
    "scheduled": _l("Scheduled"),
    "suspended": _l("Suspended"),
}
_ROLE: dict[str, Text] = {
    **{str(role): name for role, name in ROLES.items()},
    "owner": _l("Owner"),
    "member": _l("Member"),
}
#: Values of a key that are states; every other text is a person's own and stays as it is.
VALUES: dict[str, Mapping[str, Text]] = {
    "kind": {"company": _l("Company"), "individual": _l("Individual")},
    "language": LOCALES,
    "locale": LOCALES,
    "role": _ROLE,
    "status": _STATUS,
    "theme": THEMES,
    "visibility": {"all": _l("Everyone"), "chosen": _l("Chosen partners"), "staff": _l("The team only")},
}
ZONES = ("time_zone", "zone")
#: What is written down as a bare value, by the action.
BARE = {"user.role_changed": "role"}
LONGEST = 200


def name_of(key: str) -> str:
    """A key in the reader's language; an unknown one with spaces for underscores."""
    return str(KEYS.get(key) or key.replace("_", " "))


def text_of(key: str, value: Any) -> str:
    """A value in the reader's language where it is a state, a yes or a no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        pairs = (f"{name_of(str(inner))}: {text_of(str(inner), each)}" for inner, each in value.items())
        return "; ".join(pairs)[:LONGEST]
    if isinstance(value, list):
        return ", ".join(text_of(key, each) for each in value)[:LONGEST]
    text = str(value)
    if key in ZONES and text:
        return city(text)
    return str(VALUES.get(key, {}).get(text, text))[:LONGEST]
