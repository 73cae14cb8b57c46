"""Tickets as the search index sees them: for the team, with everything that was written in them and in their fields."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..core import fulltext
from ..core.access import Permission, can
from ..core.database import db
from ..core.fulltext import Document, Source
from ..core.i18n import LOCALES, _l, speaking
from .forms import STATUSES
from .models import Message, Ticket
from .models_fields import Kind, TicketField, TicketValue

KIND = "ticket"
#: Who works on tickets finds them, and nobody else: internal notes are in the text.
AUDIENCE = "tickets"
_BATCH = 200
_LONGEST = 20_000


def document(ticket: Ticket, said: list[str], lang: str) -> Document:
    """A ticket in the index of `lang`: people write in several, and any of the team may look for it."""
    with speaking(lang):
        status = str(STATUSES[ticket.status])
    return Document(
        kind=KIND,
        id=ticket.id,
        lang=lang,
        audience=frozenset((AUDIENCE,)),
        title=f"№ {ticket.number} · {ticket.subject}",
        url=f"/inbox/{ticket.number}",
        body="\n".join(said)[:_LONGEST],
        crumbs=(ticket.partner.name,),
        codes=(str(ticket.number), ticket.requester.email, ticket.partner.code),
        badge=status,
        updated_at=ticket.updated_at.isoformat(),
    )


def _some(ids: list[int], langs: Iterable[str] = LOCALES) -> Iterator[Document]:
    said: dict[int, list[str]] = {}
    filled = select(TicketValue.ticket_id, TicketValue.value).join(
        TicketField, TicketField.id == TicketValue.field_id
    )
    filled = filled.where(TicketValue.ticket_id.in_(ids), TicketField.kind == Kind.TEXT)
    for ticket_id, value in db.session.execute(filled.order_by(TicketField.position, TicketField.id)):
        said.setdefault(ticket_id, []).append(value)
    messages = select(Message.ticket_id, Message.body).where(Message.ticket_id.in_(ids))
    for ticket_id, body in db.session.execute(messages.order_by(Message.ticket_id, Message.seq)):
        said.setdefault(ticket_id, []).append(body)
    whole = joinedload(Ticket.partner), joinedload(Ticket.requester)
    for ticket in db.session.scalars(select(Ticket).where(Ticket.id.in_(ids)).options(*whole)):
        for lang in langs:
            yield document(ticket, said.get(ticket.id, []), lang)


def _everything(lang: str) -> Iterator[Document]:
    last = 0
    while True:
        page = select(Ticket.id).where(Ticket.id > last).order_by(Ticket.id).limit(_BATCH)
        ids = list(db.session.scalars(page))
        if not ids:
            return
        yield from _some(ids, (lang,))
        last = ids[-1]
        db.session.expunge_all()


def _levels(viewer: Any) -> set[str]:
    return {AUDIENCE} if can(viewer, Permission.TICKETS_WORK) else set()


def stale(ticket: Ticket) -> None:
    """Have a ticket indexed again that was changed where nobody hears of it."""
    fulltext.note(KIND, [ticket.id])


fulltext.register(
    Source(
        KIND,
        _l("Tickets"),
        "message-circle",
        _everything,
        _levels,
        _some,
        needs_all_words=True,
        rows=select(Ticket.id),
    )
)
fulltext.follow(Ticket, KIND)
fulltext.follow(Message, KIND, lambda message: message.ticket_id)
fulltext.follow(TicketValue, KIND, lambda value: value.ticket_id)
