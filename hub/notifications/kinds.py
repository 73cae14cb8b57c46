"""What can be told: each room registers its kinds with the sentence they become.

register("ticket_reply", _l("%(author)s answered “%(subject)s”"), icon="message-circle")
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..core.i18n import Text, _l
from .models import Notification

Params = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """`text` holds `%(name)s` for each parameter; `present` turns stored parameters into what is shown,
    where that depends on the reader: an amount, a date."""

    name: str
    text: Text
    icon: str = "bell"
    present: Callable[[Params], Params] | None = None

    def say(self, params: Params) -> str:
        return str(self.text) % (self.present(params) if self.present else params)


_kinds: dict[str, Kind] = {}
#: Shown for rows whose room is gone.
UNKNOWN = Kind("unknown", _l("Something happened that is no longer part of the hub"))


def register(
    name: str, text: Text, *, icon: str = "bell", present: Callable[[Params], Params] | None = None
) -> Kind:
    """Make a kind known; done once, when the room is imported."""
    if name in _kinds:
        raise ValueError(f"two kinds are called {name}")
    _kinds[name] = Kind(name, text, icon, present)
    return _kinds[name]


def known(name: str) -> Kind:
    """The kind, for writing: an unregistered one is a mistake of the caller's."""
    return _kinds[name]


@dataclass(frozen=True)
class Line:
    """A notification as a page or a mail shows it, in the language spoken when it was made."""

    row: Notification
    text: str
    icon: str


def lines(rows: Iterable[Notification]) -> list[Line]:
    """What happened, in words."""
    found = [(row, _kinds.get(row.kind, UNKNOWN)) for row in rows]
    return [Line(row, kind.say(row.params), kind.icon) for row, kind in found]
