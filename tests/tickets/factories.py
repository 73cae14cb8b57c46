"""Tickets to test with."""

import io
import itertools

from hub.core import storage
from hub.core.database import db, transaction
from hub.tickets import deflecting, rating, service
from hub.tickets.models import Attachment, BulkRow, BulkRun, Macro, SavedView, Status, Ticket
from hub.tickets.models import Outcome as Done
from hub.tickets.models_fields import Kind, TicketField, TicketValue
from hub.tickets.models_mail import Door, InboundMail, Outcome
from hub.tickets.models_rating import Rating
from hub.tickets.models_ties import Follower, Tie
from tests.kb.factories import make_article, make_category

_numbers = itertools.count(1)


def an_id() -> str:
    return f"client-{next(_numbers):06d}"


def make_ticket(
    requester, subject="Commission is missing", body="Order 48213 is not in my earnings.", **values
) -> Ticket:
    with transaction():
        return service.open_ticket(requester, subject, body, client_id=an_id(), **values)


def make_field(name="Order number", kind=Kind.TEXT, choices=(), **values) -> TicketField:
    with transaction() as session:
        kept = [{"key": str(n), "names": {"en": each}, "gone": False} for n, each in enumerate(choices, 1)]
        field = TicketField(names={"en": name}, kind=kind, choices=kept, **values)
        session.add(field)
    return field


def sample(cast) -> dict[str, object]:
    """A ticket of Acme's with an attachment, for the golden table."""
    answered = make_ticket(cast.partner, "A solved one")
    ticket = make_ticket(cast.partner)
    message = service.thread(ticket, cast.partner)[0]
    file = Attachment(message_id=message.id, key="0" * 64, name="proof.png", mime="image/png", size=1)
    db.session.add(file)
    view = SavedView(owner_id=cast.agent.id, name="Payouts", asked={"category": "payout"}, is_shared=True)
    macro = Macro(name="Paid", body="It is paid, {{first_name}}.")
    run = BulkRun(actor_id=cast.agent.id, kind="priority", value="high")
    db.session.add_all([view, macro, run])
    db.session.flush()
    done = BulkRow(run_id=run.id, ticket_id=ticket.id, outcome=Done.SAME, before="normal", after="normal")
    stored = storage.store(io.BytesIO(b"From: nobody@elsewhere.example\r\n\r\nHello"), limit=100)
    parked = InboundMail(
        raw_key=stored.key,
        sha256=stored.sha256,
        size=stored.size,
        door=Door.COMMAND,
        outcome=Outcome.PARKED,
        reason="unknown_sender",
    )
    solved = make_article(make_category("asked"), "What partners ask")
    deflecting.claim(cast.partner, solved)
    db.session.add_all([done, parked])
    answered.status = Status.RESOLVED
    field = TicketField(names={"en": "Order number"}, kind=Kind.TEXT, for_partners=True)
    db.session.add(field)
    db.session.flush()
    db.session.add(TicketValue(ticket_id=ticket.id, field_id=field.id, value="48213"))
    asked = Rating(ticket_id=answered.id, version=1)
    db.session.add_all(
        [
            asked,
            Follower(ticket_id=ticket.id, user_id=cast.agent.id),
            Tie(one_id=answered.id, other_id=ticket.id),
        ]
    )
    db.session.flush()
    names = {
        "rated": rating.token(asked),
        "solved": answered.number,
        "view": view.id,
        "macro": macro.id,
        "run": run.id,
        "mail": parked.id,
        "field": field.id,
    }
    return {"number": ticket.number, "file": file.id} | names
