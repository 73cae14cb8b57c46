"""A thread as a page shows it: days, messages and what happened between them, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from ..accounts.models import User
from ..core import i18n
from ..core.access import Permission, can
from . import previews
from .editing import may_edit
from .messages import html_of
from .models import Message, TicketEvent, Visibility
from .previews import Preview
from .telling import FOR_PARTNERS, tell


@dataclass(frozen=True)
class Day:
    kind = "day"
    date: date


@dataclass(frozen=True)
class Bubble:
    """A message, ready for a template."""

    kind = "message"
    message: Message
    html: Markup
    mine: bool
    team: bool
    note: bool
    seen: bool
    editable: bool
    previews: list[Preview]


@dataclass(frozen=True)
class Happening:
    kind = "event"
    event: TicketEvent
    text: str


Item = Day | Bubble | Happening


def items(messages: list[Message], events: list[TicketEvent], viewer: User, *, seen: int) -> Iterator[Item]:
    """Messages in `seq` order, each event after the message it followed, a day before each new day.

    `seen` is how far the other side has read.
    """
    works = can(viewer, Permission.TICKETS_WORK)
    entries: list[tuple[int, int, Message | TicketEvent]] = [(m.seq, 0, m) for m in messages]
    entries += [(e.after_seq, e.id, e) for e in events if works or e.kind in FOR_PARTNERS]
    entries.sort(key=lambda entry: entry[:2])
    pointed = previews.of(messages, viewer)
    day = None
    for _seq, _id, entry in entries:
        if isinstance(entry, TicketEvent):
            if text := tell(entry):
                yield Happening(entry, text)
            continue
        if (today := entry.at.astimezone(i18n.zone()).date()) != day:
            day = today
            yield Day(day)
        yield bubble(entry, viewer, seen, pointed)


def bubble(message: Message, viewer: User, seen: int, pointed: dict[int, list[Preview]]) -> Bubble:
    """A message as `viewer` sees it; `seen` is how far the other side has read, `pointed` what messages point to."""
    mine = message.author_id == viewer.id
    return Bubble(
        message,
        html_of(message),
        mine,
        can(message.author, Permission.TICKETS_WORK),
        message.visibility is Visibility.INTERNAL,
        mine and message.seq <= seen,
        mine and may_edit(message, viewer),
        pointed.get(message.id, []),
    )
