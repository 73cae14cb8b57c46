"""What happened to a ticket, told in sentences."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..core import i18n
from ..core.i18n import _
from .due import when
from .field_values import shown
from .forms import CATEGORIES, PRIORITIES, STATUSES
from .models import Category, Priority, Status, TicketEvent
from .models_fields import in_words
from .scores import SCORES

#: Kinds of events that a partner sees too.
FOR_PARTNERS = (
    "assigned",
    "status",
    "followed",
    "unattended",
    "absorbed",
    "split",
    "split_from",
    "unmerged",
    "rated",
)

Data = dict[str, Any]


def tell(event: TicketEvent) -> str:
    """A sentence for the thread; nothing for what it shows anyway: its beginning, and whose turn it is."""
    if event.kind == "status" and _is_live(event.data["before"]) and _is_live(event.data["after"]):
        return ""
    return recount(event) if event.kind != "opened" else ""


def recount(event: TicketEvent) -> str:
    """A sentence for the timeline, which leaves nothing out."""
    who = event.actor.name if event.actor else _("The hub")
    sentence = SENTENCES.get(event.kind)
    return sentence(who, event.data) if sentence else ""


def _is_live(status: str) -> bool:
    return Status(status).is_live


def _assigned(who: str, data: Data) -> str:
    to = data["to"]
    if to is None:
        return _("%(who)s gave the ticket back to the team", who=who)
    if to == who:
        return _("%(who)s took the ticket", who=who)
    return _("%(who)s gave the ticket to %(to)s", who=who, to=to)


def _status(who: str, data: Data) -> str:
    if _is_live(data["after"]) and not _is_live(data["before"]):
        return _("%(who)s reopened the ticket", who=who)
    return _("%(who)s set the ticket to “%(to)s”", who=who, to=STATUSES[Status(data["after"])])


def _unattended(who: str, data: Data) -> str:
    if not data["by"]:
        return _("Nobody is at the desk right now. The answer comes here and by e-mail.")
    by = when(datetime.fromisoformat(data["by"]))
    return _(
        "Nobody is at the desk right now. The answer comes by %(by)s your time, here and by e-mail.", by=by
    )


SENTENCES: dict[str, Callable[[str, Data], str]] = {
    "opened": lambda who, data: _("%(who)s opened the ticket", who=who),
    "assigned": _assigned,
    "status": _status,
    "priority": lambda who, data: _(
        "%(who)s set the priority to “%(to)s”", who=who, to=PRIORITIES[Priority(data["after"])]
    ),
    "category": lambda who, data: _(
        "%(who)s moved the ticket to “%(to)s”", who=who, to=CATEGORIES[Category(data["after"])]
    ),
    "field": lambda who, data: _(
        "%(who)s set “%(field)s” to “%(to)s”",
        who=who,
        field=in_words(data["said"]["names"]),
        to=shown(data["said"], data["after"]),
    ),
    "edited": lambda who, data: _("%(who)s changed a message", who=who),
    "unattended": _unattended,
    "tags": lambda who, data: _(
        "%(who)s set the tags: %(tags)s", who=who, tags=", ".join(data["after"]) or "—"
    ),
    "snoozed": lambda who, data: _(
        "%(who)s put the ticket off until %(when)s",
        who=who,
        when=i18n.format_datetime(datetime.fromisoformat(data["until"])),
    ),
    "woke": lambda who, data: _("The ticket is back: the time it was put off to has come"),
    "overdue": lambda who, data: _("The promised time has passed; the managers have been told"),
    "merged": lambda who, data: _(
        "%(who)s merged this ticket into № %(number)s", who=who, number=data["number"]
    ),
    "absorbed": lambda who, data: _(
        "%(who)s added № %(number)s: %(subject)s", who=who, number=data["number"], subject=data["subject"]
    ),
    "unmerged": lambda who, data: _(
        "%(who)s parted this ticket from № %(number)s", who=who, number=data["number"]
    ),
    "split": lambda who, data: _("%(who)s moved a part to № %(number)s", who=who, number=data["number"]),
    "split_from": lambda who, data: _(
        "%(who)s made this ticket from a part of № %(number)s", who=who, number=data["number"]
    ),
    "followed": lambda who, data: _("The conversation goes on in № %(number)s", number=data["number"]),
    "follows": lambda who, data: _("%(who)s follows the ticket", who=who),
    "unfollows": lambda who, data: _("%(who)s no longer follows the ticket", who=who),
    "tied": lambda who, data: _("%(who)s linked № %(number)s", who=who, number=data["number"]),
    "untied": lambda who, data: _("%(who)s removed the link to № %(number)s", who=who, number=data["number"]),
    "rated": lambda who, data: _("%(who)s rated the help: %(score)s", who=who, score=SCORES[data["score"]]),
    "mail_automatic": lambda who, data: _(
        "An automatic reply came from %(address)s: %(subject)s",
        address=data["address"],
        subject=data["subject"],
    ),
    "mail_undelivered": lambda who, data: _(
        "A mail to %(address)s could not be delivered: %(why)s", address=data["address"], why=data["why"]
    ),
    "mail_opened": lambda who, data: _(
        "%(who)s opened this ticket with a mail from %(address)s", who=who, address=data["address"]
    ),
    "mail_number": lambda who, data: _(
        "The mail names № %(number)s, but nothing proves that it belongs there", number=data["number"]
    ),
}
