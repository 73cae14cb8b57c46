"""What a message points to within the hub, shown below it, as far as its reader may see it.

All of it comes from our own tables: no address is ever fetched, and of other sites nothing is shown but their name.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, or_, select
from werkzeug.exceptions import HTTPException

from ..core import i18n
from ..core.access import visible
from ..core.database import db
from ..core.i18n import Text, _, _l
from ..core.settings import settings
from ..kb.models import Translation
from ..materials.models import Asset
from ..training.models import Webinar
from .models import Message, Ticket

#: Previews below one message, and pages that are looked up for all messages at hand.
MOST, LOOKED_UP = 3, 50

#: A page of the hub: its endpoint, and the values of its address in the order of their names.
Target = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Preview:
    url: str
    icon: str
    kind: Text
    title: str


@dataclass(frozen=True)
class Kind:
    """Pages of one endpoint: which row an address means, which address a row has, and what is shown of it."""

    model: Any
    icon: str
    name: Text
    means: Callable[..., ColumnElement[bool]]
    values: Callable[[Any], tuple[Any, ...]]
    title: Callable[[Any], str]


_KINDS = {
    "kb.show": Kind(
        Translation,
        "book-2",
        _l("Article"),
        lambda lang, slug: (Translation.locale == lang) & (Translation.slug == slug),
        lambda row: (row.locale, row.slug),
        lambda row: row.title,
    ),
    "materials.show": Kind(
        Asset,
        "photo",
        _l("Material"),
        lambda id: Asset.id == id,
        lambda row: (row.id,),
        lambda row: row.title,
    ),
    "training.show": Kind(
        Webinar,
        "school",
        _l("Webinar"),
        lambda id: Webinar.id == id,
        lambda row: (row.id,),
        lambda row: f"{row.title} · {i18n.format_datetime(row.starts_at)}",
    ),
    "tickets.show": Kind(
        Ticket,
        "message-circle",
        _l("Ticket"),
        lambda number: Ticket.number == number,
        lambda row: (row.number,),
        lambda row: _("№ %(number)s: %(subject)s", number=row.number, subject=row.subject),
    ),
}
_KINDS["tickets.inbox_show"] = _KINDS["tickets.show"]


def of(messages: Iterable[Message], viewer: Any) -> dict[int, list[Preview]]:
    """Previews by the message's id. A statement for each kind of page that is pointed to: mostly none."""
    pointed = {message.id: _targets(message.body) for message in messages}
    wanted = dict.fromkeys(target for targets in pointed.values() for target in targets)
    known = _look_up(list(wanted)[-LOOKED_UP:], viewer) if wanted else {}
    return {id: [known[each] for each in targets if each in known][:MOST] for id, targets in pointed.items()}


def _look_up(targets: list[Target], viewer: Any) -> dict[Target, Preview]:
    found: dict[Target, Preview] = {}
    for endpoint in {endpoint for endpoint, _values in targets}:
        kind = _KINDS[endpoint]
        either = or_(*(kind.means(*values) for each, values in targets if each == endpoint))
        for row in db.session.scalars(visible(select(kind.model).where(either), viewer)).unique():
            values = kind.values(row)
            url = _map().build(endpoint, dict(zip(_names(endpoint), values, strict=True)))
            found[endpoint, values] = Preview(url, kind.icon, kind.name, kind.title(row))
    return found


def _targets(body: str) -> list[Target]:
    """Pages of the hub that a text points to, each once, in order."""
    base = settings.base_url
    if base not in body:
        return []
    paths = re.findall(re.escape(base) + r"(/[^\s<>\"'()\[\]?#]{1,300})", body)
    return list(dict.fromkeys(target for path in paths if (target := _target(path.rstrip(".,;:!*_~")))))


def _target(path: str) -> Target | None:
    try:
        endpoint, values = _map().match(path)
    except HTTPException:  # no such page, or one that leads elsewhere
        return None
    return (endpoint, tuple(values[name] for name in sorted(values))) if endpoint in _KINDS else None


def _names(endpoint: str) -> list[str]:
    return sorted(next(current_app.url_map.iter_rules(endpoint)).arguments)


def _map() -> Any:
    return current_app.url_map.bind("")
