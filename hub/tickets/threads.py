"""A thread as a page shows it: days, messages and what happened between them, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from ..accounts.models import User
from ..core import i18n, markup
from ..core.access import Permission, can
from ..core.i18n import _
from .forms import CATEGORIES, PRIORITIES, STATUSES
from .models import Category, Message, Priority, Status, TicketEvent, Visibility


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
    entries += [(e.after_seq, e.id, e) for e in events if works or e.kind in ("assigned", "status")]
    entries.sort(key=lambda entry: entry[:2])
    day = None
    for _seq, _id, entry in entries:
        if isinstance(entry, TicketEvent):
            if text := tell(entry):
                yield Happening(entry, text)
            continue
        if (today := entry.at.astimezone(i18n.zone()).date()) != day:
            day = today
            yield Day(day)
        yield _bubble(entry, viewer, seen)


def _bubble(message: Message, viewer: User, seen: int) -> Bubble:
    mine = message.author_id == viewer.id
    return Bubble(
        message,
        markup.message(message.body),
        mine,
        can(message.author, Permission.TICKETS_WORK),
        message.visibility is Visibility.INTERNAL,
        mine and message.seq <= seen,
    )


def tell(event: TicketEvent) -> str:
    """What happened, in a sentence; nothing for what the thread shows anyway."""
    who = event.actor.name if event.actor else _("The hub")
    match event.kind:
        case "assigned":
            return _tell_assigned(who, event.data["to"])
        case "status" if Status(event.data["after"]).is_live:
            return _("%(who)s reopened the ticket", who=who)
        case "status":
            return _("%(who)s set the ticket to “%(to)s”", who=who, to=STATUSES[Status(event.data["after"])])
        case "priority":
            to = PRIORITIES[Priority(event.data["after"])]
            return _("%(who)s set the priority to “%(to)s”", who=who, to=to)
        case "category":
            to = CATEGORIES[Category(event.data["after"])]
            return _("%(who)s moved the ticket to “%(to)s”", who=who, to=to)
    return ""


def _tell_assigned(who: str, to: str | None) -> str:
    if to is None:
        return _("%(who)s gave the ticket back to the team", who=who)
    if to == who:
        return _("%(who)s took the ticket", who=who)
    return _("%(who)s gave the ticket to %(to)s", who=who, to=to)
