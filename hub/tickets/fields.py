"""Fields of the programme's own: filling them in, asking for them, and lists of what holds one value."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, and_, or_, select

from ..accounts.models import User
from ..core.access import Permission, can, visible
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _
from . import news
from .errors import AlreadyMerged
from .field_values import Filled, facts, offers, parse, shown
from .history import events, happened, lock
from .models import Ticket
from .models_fields import TicketField, TicketValue

#: A form with more of them is filled in by nobody.
MOST = 30
#: A field with its value, as an address writes it: “3:48213”.
_WITH_VALUE = re.compile(r"([1-9]\d{0,8}):(.{1,200})", re.DOTALL)


class FieldsMissing(HubError):
    """The team may not resolve a ticket in which a required field is empty."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(_("Fill in first: %(fields)s", fields=", ".join(names)))


def typed(form: Any) -> dict[int, str]:
    """What a form says of fields, by id."""
    found = {name.removeprefix("field-"): text for name, text in form.items() if name.startswith("field-")}
    known = {id: text for id, text in found.items() if id.isascii() and id.isdecimal() and len(id) < 10}
    return {int(id): text for id, text in list(known.items())[:MOST]}


# --- Of a ticket ---------------------------------------------------------------


def of(ticket: Ticket, reader: User) -> list[Filled]:
    """Fields that belong to the ticket, and others that hold something: archived, or of another category."""
    found = db.session.execute(visible(_with_values(ticket), reader))
    return [
        Filled(field, value or "") for field, value in found if value or field.belongs_to(ticket.category)
    ]


def _with_values(ticket: Ticket) -> Select[Any, Any]:
    its = and_(TicketValue.field_id == TicketField.id, TicketValue.ticket_id == ticket.id)
    return (
        select(TicketField, TicketValue.value)
        .outerjoin(TicketValue, its)
        .where(or_(TicketField.archived_at.is_(None), TicketValue.value.is_not(None)))
        .order_by(TicketField.position, TicketField.id)
    )


def fill_in(ticket: Ticket, actor: User, typed: Mapping[int, str]) -> None:
    """Set fields of the ticket to what was typed, "" to empty one; each change is an event.

    What the actor may not see, what is archived and what does not belong to the ticket's category is left alone.
    Raises BadValue, AlreadyMerged.
    """
    lock(ticket)
    if ticket.merged_into_id is not None:
        raise AlreadyMerged
    held = {each.field.id: each for each in of(ticket, actor)}
    for id, text in typed.items():
        if id not in held or not (field := held[id].field).belongs_to(ticket.category):
            continue
        same = " ".join(text.split()) == held[id].value  # a choice that is gone may stay
        _put(ticket, actor, held[id], held[id].value if same else parse(field, text))
    news.changed(ticket)


def _put(ticket: Ticket, actor: User, held: Filled, value: str) -> None:
    if value == held.value:
        return
    field = held.field
    _tell(ticket, actor, field, held.value, value)
    db.session.flush()
    row = db.session.get(TicketValue, (ticket.id, field.id))
    if row is None:
        db.session.add(TicketValue(ticket_id=ticket.id, field_id=field.id, value=value))
    elif value:
        row.value = value
    else:
        db.session.delete(row)
    db.session.flush()


def _tell(ticket: Ticket, actor: User, field: TicketField, before: str, after: str, **more: Any) -> None:
    said = facts(field)
    said["choices"] = [each for each in field.choices if each["key"] in (before, after)]
    happened(ticket, actor, "field", id=field.id, said=said, before=before, after=after, **more)


def check_complete(ticket: Ticket, actor: User) -> None:
    """Raises FieldsMissing when the team would settle a ticket that lacks a required field."""
    if not can(actor, Permission.TICKETS_WORK):
        return
    wanted = _with_values(ticket).where(TicketField.is_required, TicketValue.value.is_(None))
    missing = [field.name for field, _none in db.session.execute(wanted) if field.belongs_to(ticket.category)]
    if missing:
        raise FieldsMissing(missing)


# --- Merging and splitting -----------------------------------------------------


def values(ticket: Ticket) -> dict[int, str]:
    held = select(TicketValue.field_id, TicketValue.value).where(TicketValue.ticket_id == ticket.id)
    return {id: value for id, value in db.session.execute(held.order_by(TicketValue.field_id))}  # noqa: C416


def held(field: TicketField, tickets: Iterable[Ticket]) -> dict[int, str]:
    """What each of the tickets has in this field, by the ticket's id; nothing for one that is empty."""
    these = TicketValue.ticket_id.in_([each.id for each in tickets])
    found = select(TicketValue.ticket_id, TicketValue.value).where(TicketValue.field_id == field.id, these)
    return {id: value for id, value in db.session.execute(found)}  # noqa: C416


def bring(source: Ticket, target: Ticket, actor: User) -> dict[int, str]:
    """Copy what the target has nothing of; what was copied. Where both say something, the target's holds."""
    there = values(target)
    brought = {id: value for id, value in values(source).items() if id not in there}
    for field in _fields(brought):
        value = brought[field.id]
        _tell(target, actor, field, "", value, brought=True)
        db.session.add(TicketValue(ticket_id=target.id, field_id=field.id, value=value))
    return brought


def take_back(target: Ticket, brought: Mapping[str, str], actor: User) -> None:
    """Remove what a merge has brought, unless somebody has set it since."""
    last = {event.data["id"]: event.data for event in events(target) if event.kind == "field"}
    there = values(target)
    for field in _fields(map(int, brought)):
        value, by_hand = brought[str(field.id)], not last.get(field.id, {"brought": True}).get("brought")
        if there.get(field.id) == value and not by_hand:
            _tell(target, actor, field, value, "")
            db.session.delete(db.session.get_one(TicketValue, (target.id, field.id)))


def _fields(ids: Iterable[int]) -> list[TicketField]:
    found = select(TicketField).where(TicketField.id.in_(list(ids))).order_by(TicketField.id)
    return list(db.session.scalars(found))


# --- Which there are -------------------------------------------------------------


def offered(reader: User) -> list[TicketField]:
    """Fields in use that `reader` may see, in their order."""
    used = visible(select(TicketField), reader).where(TicketField.archived_at.is_(None))
    return list(db.session.scalars(used.order_by(TicketField.position, TicketField.id)))


def picked(reader: User) -> list[TicketField]:
    """Those of which one value is picked: what lists can be narrowed to and macros can set."""
    return [each for each in offered(reader) if each.is_chosen]


def read_pair(text: str) -> tuple[int, str] | None:
    """A field's id and a value, from “3:48213”; None for nonsense."""
    found = _WITH_VALUE.fullmatch(text.replace("\x00", ""))
    return (int(found[1]), found[2]) if found else None


def say_pair(text: str, reader: User) -> str:
    """The same in words: “Order number: 48213”."""
    id, value = read_pair(text) or (0, "")
    field = db.session.scalar(visible(select(TicketField).where(TicketField.id == id), reader))
    return f"{field.name}: {shown(facts(field), value)}" if field else value


def holding(text: str) -> Select[Any]:
    """Ids of the tickets in which a field holds a value."""
    id, value = read_pair(text) or (0, "")
    return select(TicketValue.ticket_id).where(TicketValue.field_id == id, TicketValue.value == value)


# --- For programs -----------------------------------------------------------------


def as_json(filled: Filled) -> dict[str, Any]:
    field = filled.field
    return {
        "id": field.id,
        "name": field.name,
        "kind": field.kind,
        "value": filled.value or None,
        "text": filled.text if filled.value else None,
    }


def described(field: TicketField) -> dict[str, Any]:
    return {
        "id": field.id,
        "name": field.name,
        "kind": field.kind,
        "choices": [{"value": key, "text": label} for key, label in offers(field)] if field.is_chosen else [],
        "categories": field.categories,
    }
