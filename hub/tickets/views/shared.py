"""What the partner's and the team's pages have in common: a thread and its composer."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, render_template, request
from flask_login import current_user
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import FileStorage

from ...accounts.models import User
from ...core import storage, uploads
from ...core.access import Permission, can, visible_or_404
from ...core.database import db
from ...core.i18n import Text, _l
from ...core.settings import settings as current
from ...partners.models import Partner
from .. import due, fields, inbox, previews, rating, saved_views, service, states, threads, writing
from ..forms import (
    CATEGORIES,
    CHANNELS,
    PRIORITIES,
    STATUSES,
    STATUSES_FOR_PARTNER,
    TONES,
    TONES_FOR_PARTNER,
    RatingForm,
    new_client_id,
)
from ..models import Attachment, Ticket
from ..scores import SCORES

bp = Blueprint("tickets", __name__, template_folder="../templates")


@functools.cache
def _by_number() -> Select[Any]:
    """Built once: every page of a ticket begins with it."""
    together = (
        joinedload(Ticket.partner).joinedload(Partner.tier),
        joinedload(Ticket.requester),
        joinedload(Ticket.assignee),
    )
    return select(Ticket).where(Ticket.number == bindparam("number")).options(*together)


def ticket_or_404(number: int) -> Ticket:
    """The ticket with this number, if the person at hand may see it."""
    return visible_or_404(_by_number(), current_user, number=number)


def thread_page(ticket: Ticket, **more: Any) -> str:
    """The page of a thread for whoever looks at it: partner or team."""
    shown = conversation(ticket) | more
    if can(current_user, Permission.TICKETS_WORK):
        asked = inbox.Asked.read(request.args, inbox.home_of(ticket, current_user))
        return render_template("tickets/inbox.html", **desk(asked), **shown)
    words = {"labels": STATUSES_FOR_PARTNER, "tones": TONES_FOR_PARTNER}
    filled = [each for each in fields.of(ticket, current_user) if each.value]
    return render_template("tickets/show.html", fields=filled, **_rated(ticket) | words | shown)


def _rated(ticket: Ticket) -> dict[str, Any]:
    """What a partner may say, or has said, about a solution."""
    found = None if ticket.is_live else rating.latest(ticket)
    is_open = found is not None and rating.is_open(found, ticket)
    return {
        "rating": found,
        "rating_form": RatingForm(formdata=None),
        "rating_open": is_open,
        # An open page shows another form only for another solution: somebody may be filling it in.
        "rating_version": f"{found.version}{'?' if is_open else ''}" if found else "",
        "scores": SCORES,
    }


def list_asked() -> dict[str, Any]:
    """Parameters of the list a page was opened from, for the page that follows it."""
    return inbox.Asked.read(request.args).parameters() if "view" in request.args else {}


def status_for(ticket: Ticket) -> dict[str, Any]:
    """The ticket's state in the words of whoever looks at it."""
    if can(current_user, Permission.TICKETS_WORK):
        return {"label": STATUSES[ticket.status], "tone": TONES[ticket.status]}
    return {"label": STATUSES_FOR_PARTNER[ticket.status], "tone": TONES_FOR_PARTNER[ticket.status]}


def conversation(ticket: Ticket) -> dict[str, Any]:
    """Messages, events, drafts."""
    messages = service.thread(ticket, current_user)
    events = service.events(ticket)
    seen, drafts = writing.standing(ticket, current_user)
    return {
        "ticket": ticket,
        "items": list(threads.items(messages, events, current_user, seen=seen)),
        "more": len(messages) == service.PAGE,
        "last": messages[-1].seq if messages else 0,
        "last_event": events[-1].id if events else 0,
        "drafts": drafts,
        "client_id": new_client_id(),
        "over": states.is_over(ticket),
        "final": service.final(ticket),
    }


def missed(ticket: Ticket, *, after: int, event: int) -> dict[str, Any]:
    """What is new past a seq and an event, and old messages with new words, for a page that is open."""
    messages = service.thread(ticket, current_user, after=after)
    changed = service.edited(ticket, current_user, up_to=after, event=event)
    seen = service.seen_by_other_side(ticket, current_user)
    happened = service.events(ticket, after=event)
    pointed = previews.of(changed, current_user)
    rated = {} if can(current_user, Permission.TICKETS_WORK) else _rated(ticket)
    return rated | {
        "ticket": ticket,
        "items": threads.items(messages, happened, current_user, seen=seen),
        "changed": [threads.bubble(message, current_user, seen, pointed) for message in changed],
        "more": len(messages) == service.PAGE,
        "now": status_for(ticket) | {"seen": seen, "event": happened[-1].id if happened else event},
    }


def desk(asked: inbox.Asked) -> dict[str, Any]:
    """The inbox around a thread: views with counts, and the list of one of them."""
    counts, saved = inbox.views(current_user)
    return {
        "asked": asked,
        "views": inbox.TITLES,
        "saved": saved,
        "kept": saved_views.kept(asked, [each for each, _number in saved], current_user),
        "counts": counts,
        "tickets": inbox.tickets(asked, current_user, request.args.get("cursor")),
        "orders": inbox.ORDERS,
        "labels": STATUSES,
        "tones": TONES,
        "categories": CATEGORIES,
        "priorities": PRIORITIES,
        "channels": CHANNELS,
        "due": due,
        "manages": can(current_user, Permission.TICKETS_MANAGE),
        "narrowed": [(name, _which(name, value)) for name, value in asked.narrowed.items()],
    }


def in_words(asked: inbox.Asked) -> list[tuple[str, str]]:
    """What a list asks for, as its reader says it: (what, which)."""
    return [(str(_WHAT[name]), _which(name, value)) for name, value in asked.parameters().items()]


_WHAT = {
    "view": _l("View"),
    "order": _l("Order"),
    "status": _l("Status"),
    "category": _l("About"),
    "priority": _l("Priority"),
    "channel": _l("Came by"),
    "assignee": _l("Assigned to"),
    "partner": _l("Partner"),
    "tag": _l("Tag"),
    "field": _l("Field"),
    "q": _l("Words"),
}
_WHICH: dict[str, Mapping[Any, Text]] = {
    "view": inbox.TITLES,
    "order": inbox.ORDERS,
    "status": STATUSES,
    "category": CATEGORIES,
    "priority": PRIORITIES,
    "channel": CHANNELS,
    "assignee": {inbox.ME: _l("me"), inbox.NOBODY: _l("Nobody")},
}


def _which(name: str, value: str) -> str:
    if name == "field":
        return fields.say_pair(value, current_user)
    if name == "assignee" and value.isdecimal():
        person = db.session.get(User, int(value))
        return person.name if person else "—"
    return str(_WHICH.get(name, {}).get(value, value))


@contextmanager
def received(files: list[FileStorage] | None) -> Iterator[list[service.File]]:
    """Examine and store uploaded files for the block; when it is refused, nothing of them stays.

    All are examined before the first is stored. Raises Invalid for one that is refused.
    """
    # A field of this name may hold text.
    uploaded = [each for each in files or [] if isinstance(each, FileStorage) and each.filename]
    examined = [uploads.examine(each) for each in uploaded]
    kept: list[service.File] = []
    try:
        for each in examined:
            stored = storage.store(each.stream, limit=current.max_upload_mb * 1_000_000)
            kept.append(service.File(stored, each.name, each.mime))
        yield kept
    except BaseException:
        _discard(kept)
        raise


def _discard(files: list[service.File]) -> None:
    """Delete what was stored for nothing, unless somebody has attached the same content meanwhile."""
    for file in files:
        wanted = select(Attachment.id).where(Attachment.key == file.stored.key).limit(1)
        if file.stored.is_new and db.session.scalar(wanted) is None:
            storage.delete(file.stored.key)
