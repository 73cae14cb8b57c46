"""What the partner's and the team's pages have in common: a thread and its composer."""

import functools
from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import FileStorage

from ...core import clock, i18n, months, storage, uploads
from ...core.access import Permission, can, visible_or_404
from ...core.i18n import _
from ...core.settings import settings as current
from ...earnings import service as earnings
from ...partners.models import Partner
from .. import inbox, service, states, threads
from ..forms import (
    CATEGORIES,
    PRIORITIES,
    STATUSES,
    STATUSES_FOR_PARTNER,
    TONES,
    TONES_FOR_PARTNER,
    new_client_id,
)
from ..models import Ticket

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
        return render_template(
            "tickets/inbox.html", **desk(inbox.home_of(ticket, current_user)), **beside(ticket), **shown
        )
    return render_template("tickets/show.html", **shown, labels=STATUSES_FOR_PARTNER, tones=TONES_FOR_PARTNER)


def status_for(ticket: Ticket) -> dict[str, Any]:
    """The ticket's state in the words of whoever looks at it."""
    if can(current_user, Permission.TICKETS_WORK):
        return {"label": STATUSES[ticket.status], "tone": TONES[ticket.status]}
    return {"label": STATUSES_FOR_PARTNER[ticket.status], "tone": TONES_FOR_PARTNER[ticket.status]}


def conversation(ticket: Ticket) -> dict[str, Any]:
    """Messages, events, drafts."""
    messages = service.thread(ticket, current_user)
    events = service.events(ticket)
    seen = service.seen_by_other_side(ticket, current_user)
    return {
        "ticket": ticket,
        "items": list(threads.items(messages, events, current_user, seen=seen)),
        "more": len(messages) == service.PAGE,
        "last": messages[-1].seq if messages else 0,
        "last_event": events[-1].id if events else 0,
        "drafts": service.drafts(ticket, current_user),
        "client_id": new_client_id(),
        "over": states.is_over(ticket),
    }


def desk(view: inbox.View = inbox.View.MINE, cursor: str | None = None, **narrowed: Any) -> dict[str, Any]:
    """The inbox around a thread: views with counts, and the list of one of them."""
    return {
        "view": view,
        "views": inbox.TITLES,
        "counts": inbox.counts(current_user),
        "tickets": inbox.tickets(view, current_user, cursor, **narrowed),
        "narrowed": narrowed,
        "labels": STATUSES,
        "tones": TONES,
        "categories": CATEGORIES,
        "priorities": PRIORITIES,
    }


def beside(ticket: Ticket) -> dict[str, Any]:
    """What stands beside a thread in the inbox: partner, colleagues, other tickets."""
    with i18n.speaking(i18n.locale(), ticket.partner.time_zone):
        local_time = i18n.format_time(clock.now())
    return {
        "team": service.team(),
        "others": service.others_of(ticket),
        "local_time": local_time,
        "money": _money(ticket.partner),
    }


def _money(partner: Partner) -> list[tuple[str, str]]:
    """This month, the last one, and what is payable, in the currencies the partner has."""
    this, last = months.last_months(2)[::-1]
    accounts = earnings.glance(partner)
    lines = []
    for month, amounts in (
        (this, {each.currency: each.this_month for each in accounts}),
        (last, {each.currency: each.last_month for each in accounts}),
    ):
        earned = {currency: amount for currency, amount in amounts.items() if amount}
        lines += [
            (i18n.format_month(month), i18n.money(amount, currency))
            for currency, amount in (earned or {partner.currency: 0}).items()
        ]
    return lines + [
        (_("Payable"), i18n.money(each.payable, each.currency)) for each in accounts if each.payable
    ]


def received(files: list[FileStorage] | None) -> list[service.File]:
    """Examine and store uploaded files. Raises Invalid for the first that is refused."""
    kept = []
    for each in files or []:
        if isinstance(each, FileStorage) and each.filename:  # a field of this name may hold text
            checked = uploads.examine(each)
            stored = storage.store(checked.stream, limit=current.max_upload_mb * 1_000_000)
            kept.append(service.File(stored, checked.name, checked.mime))
    return kept
