"""What stands in a field of the programme's own: read as it is typed, kept as text, shown in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ..core import i18n
from ..core.errors import Invalid
from ..core.i18n import Text, _, _l
from .models_fields import NO, YES, Kind, TicketField, in_words

LONGEST = 200
_NUMBER = re.compile(r"-?\d{1,15}(?:[.,]\d{1,6})?")
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d{1,6})?")
#: A thousand and more to some, a little more than one to others.
_EITHER = re.compile(r"-?[1-9]\d{0,2},\d{3}")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")

WRONG: dict[Kind, Text] = {
    Kind.TEXT: _l("At most 200 characters."),
    Kind.NUMBER: _l("Write a number, such as 1234.50."),
    Kind.DATE: _l("Choose a date."),
    Kind.CHOICE: _l("Choose one of them."),
    Kind.YES_NO: _l("Choose one of them."),
}
AMBIGUOUS = _l("With one comma this may be two numbers. Write it like 1234 or like 1.234.")


class BadValue(Invalid):
    """A value that its field does not take; `errors` has it under `field-<id>`."""

    def __init__(self, field: TicketField, why: Text | None = None) -> None:
        why = why or WRONG[field.kind]
        super().__init__(f"{field.name}: {why}", **{control(field.id): [why]})


@dataclass(frozen=True)
class Filled:
    """A field of a ticket and what stands in it; "" for nothing."""

    field: TicketField
    value: str

    @property
    def text(self) -> str:
        return shown(facts(self.field), self.value)

    @property
    def pair(self) -> tuple[str, str]:
        return self.field.name, self.text


def control(id: int) -> str:
    """The name of a field's control in a form."""
    return f"field-{id}"


def parse(field: TicketField, text: str) -> str:
    """What was typed, as it is kept; "" for nothing. Raises BadValue."""
    text = " ".join(text.replace("\x00", "").split())
    try:
        return _READERS[field.kind](field, text) if text else ""
    except ValueError:
        raise BadValue(field) from None


def _text(_field: TicketField, text: str) -> str:
    if len(text) > LONGEST:
        raise ValueError
    return text


def _number(field: TicketField, text: str) -> str:
    plain = _SPACES.sub("", text).replace("−", "-")
    if _EITHER.fullmatch(plain):
        raise BadValue(field, AMBIGUOUS)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not (plain.isascii() and _NUMBER.fullmatch(plain)):
        raise ValueError
    return f"{Decimal(plain.replace(',', '.')).normalize() + 0:f}"  # + 0: there is no −0


def _date(_field: TicketField, text: str) -> str:
    day = date.fromisoformat(text)
    if not 1900 <= day.year < 2200:
        raise ValueError
    return day.isoformat()


def _choice(field: TicketField, text: str) -> str:
    if text not in [key for key, _label in offers(field)]:
        raise ValueError
    return text


_READERS = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.CHOICE: _choice,
    Kind.YES_NO: _choice,
}


def facts(field: TicketField) -> dict[str, Any]:
    """What is needed to say a value in words, for the history too: it keeps what a field was called then."""
    return {"names": field.names, "kind": field.kind, "choices": field.choices}


def shown(said: Mapping[str, Any], value: str) -> str:
    """A value in the reader's words; nonsense, as an address may hold it, as it is."""
    try:
        return _shown(said, value) if value else "—"
    except (ValueError, ArithmeticError):
        return value


def _shown(said: Mapping[str, Any], value: str) -> str:
    match said["kind"]:
        case Kind.NUMBER if _NUMBER.fullmatch(value):
            return i18n.number(Decimal(value), max(0, -int(Decimal(value).as_tuple().exponent)))  # type: ignore[arg-type]
        case Kind.DATE:
            return i18n.format_date(date.fromisoformat(value))
        case Kind.YES_NO:
            return _("Yes") if value == YES else _("No")
        case Kind.CHOICE:
            return next((in_words(each["names"]) for each in said["choices"] if each["key"] == value), value)
    return value


def offers(field: TicketField, held: str = "") -> list[tuple[str, str]]:
    """(key, label) of what may be picked; what a ticket holds stays among them."""
    if field.kind is Kind.YES_NO:
        return [(YES, _("Yes")), (NO, _("No"))]
    chosen = [each for each in field.choices if not each.get("gone") or each["key"] == held]
    return [(each["key"], in_words(each["names"])) for each in chosen]
