"""One change to many tickets: shown before it is made, told per ticket, and taken back where nobody was faster."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import clock
from ..core.access import visible
from ..core.database import db
from ..core.errors import HubError
from . import fields
from .assigning import assign
from .classifying import classify, set_tags, tidy
from .errors import AlreadyMerged, FieldElsewhere, NotOnTheTeam
from .field_values import parse
from .history import lock
from .models import BulkRow, BulkRun, Category, Outcome, Priority, Status, Ticket
from .models_fields import TicketField
from .states import set_status

MOST = 200
#: Before the id of one of the programme's own fields.
FIELD = "field:"


@dataclass(frozen=True)
class Change:
    """What is to be changed, and to what; as a form sends it. One of the programme's own fields is `field:<id>`."""

    kind: str
    value: str

    def after(self, ticket: Ticket) -> Any:
        """What the ticket would have."""
        match self.kind:
            case "assignee":
                return int(self.value) if self.value else None
            case "tag":
                return tidy([*ticket.tags, self.value])
            case _:
                return self.value


def read(kind: str, value: str) -> Change | None:
    """A change as it was asked for; None for nonsense. Raises BadValue for what a field does not take."""
    if (field := field_of(kind)) is not None:
        return Change(kind, parse(field, value)) if field.archived_at is None else None
    values: dict[str, list[Any]] = {
        "status": list(Status),
        "priority": list(Priority),
        "category": list(Category),
    }
    if kind in values:
        return Change(kind, value) if value in values[kind] else None
    if kind == "assignee" and (not value or (value.isascii() and value.isdecimal() and len(value) < 10)):
        return Change(kind, value)
    return Change(kind, value) if kind == "tag" and tidy([value]) else None


def field_of(kind: str) -> TicketField | None:
    """The field that a change of this kind fills in."""
    id = kind.removeprefix(FIELD)
    is_one = kind.startswith(FIELD) and id.isascii() and id.isdecimal() and len(id) < 10
    return db.session.get(TicketField, int(id)) if is_one else None


def now(ticket: Ticket, kind: str) -> Any:
    """What a ticket has at present, as JSON has it."""
    if kind.startswith(FIELD):
        return fields.values(ticket).get(int(kind.removeprefix(FIELD)), "")
    if kind == "tag":
        return list(ticket.tags)
    return ticket.assignee_id if kind == "assignee" else str(getattr(ticket, kind))


def chosen(numbers: Iterable[int], user: User) -> list[Ticket]:
    """The tickets of these numbers that `user` may see, at most MOST."""
    wanted = visible(select(Ticket), user).where(Ticket.number.in_(list(numbers)[:MOST]))
    return list(db.session.scalars(wanted.options(joinedload(Ticket.partner)).order_by(Ticket.number)))


def preview(tickets: Iterable[Ticket], change: Change) -> list[tuple[Ticket, Any, Any, str]]:
    """(ticket, before, after, why not) of each; nothing is changed."""
    tickets = list(tickets)
    if (field := field_of(change.kind)) is not None:
        held = fields.held(field, tickets)
        return [(each, held.get(each.id, ""), change.value, _refusal(each, change.kind)) for each in tickets]
    return [
        (each, now(each, change.kind), change.after(each), _refusal(each, change.kind)) for each in tickets
    ]


def _refusal(ticket: Ticket, kind: str) -> str:
    if ticket.merged_into_id is not None:
        return str(AlreadyMerged.message)
    field = field_of(kind)
    return str(FieldElsewhere.message) if field and not field.belongs_to(ticket.category) else ""


def run(tickets: Iterable[Ticket], change: Change, actor: User) -> BulkRun:
    """Make the change; a ticket that refuses it does not hinder the others."""
    made = BulkRun(actor_id=actor.id, kind=change.kind, value=change.value)
    db.session.add(made)
    db.session.flush()
    for ticket in tickets:
        lock(ticket)
        before = now(ticket, change.kind)
        row = BulkRow(run_id=made.id, ticket_id=ticket.id, outcome=Outcome.DONE, before=before, after=before)
        try:
            if reason := _refusal(ticket, change.kind):
                raise HubError(reason)
            _put(ticket, change.kind, change.after(ticket), actor)
        except HubError as error:
            row.outcome, row.reason = Outcome.REFUSED, str(error.message)
        row.after = now(ticket, change.kind)
        if row.outcome is Outcome.DONE and row.after == before:
            row.outcome = Outcome.SAME
        db.session.add(row)
    db.session.flush()
    return made


def undo(made: BulkRun, actor: User) -> None:
    """Take the change back wherever it is still as it was left. Doing it twice changes nothing."""
    db.session.refresh(made, with_for_update=True)
    if made.undone_at is not None:
        return
    made.undone_at = clock.now()
    for row in made.rows:
        if row.outcome is not Outcome.DONE:
            continue
        lock(row.ticket)
        if now(row.ticket, made.kind) != row.after:
            row.outcome = Outcome.MOVED
            continue
        try:
            if reason := _refusal(row.ticket, made.kind):
                raise HubError(reason)
            _put(row.ticket, made.kind, row.before, actor)
            row.outcome = Outcome.UNDONE
        except HubError as error:
            row.outcome, row.reason = Outcome.REFUSED, str(error.message)


def _put(ticket: Ticket, kind: str, value: Any, actor: User) -> None:
    match kind:
        case "assignee":
            person = db.session.get(User, value) if value else None
            if value and person is None:
                raise NotOnTheTeam
            assign(ticket, actor, person)
        case "status":
            set_status(ticket, actor, Status(value))
        case "priority":
            classify(ticket, actor, priority=Priority(value), category=ticket.category)
        case "category":
            classify(ticket, actor, priority=ticket.priority, category=Category(value))
        case "tag":
            set_tags(ticket, actor, value)
        case _:
            fields.fill_in(ticket, actor, {int(kind.removeprefix(FIELD)): value})
