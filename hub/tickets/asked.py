"""What a program asks for, read from JSON that may hold anything."""

from collections.abc import Iterable
from typing import Any

from ..core.errors import Invalid
from ..core.i18n import _l

LONGEST_CLIENT_ID = 64
#: Columns hold no larger number.
LARGEST = 2**31


class BadClientId(Invalid):
    message = _l("`client_id` needs 1 to 64 characters, another one for every message.")


class BadFields(Invalid):
    message = _l(
        "`fields` takes a text, a number, true, false or null for each id that `GET /api/v1/tickets/fields` names."
    )


def number(data: dict[str, Any], name: str) -> int:
    """A count from zero; 0 for anything else."""
    value = data.get(name, 0)
    return value if type(value) is int and 0 <= value < LARGEST else 0


def text(data: dict[str, Any], name: str) -> str:
    """A text as a database takes it: JSON can carry lone surrogates and NUL, which forms cannot."""
    value = data.get(name, "")
    return value.replace("\x00", "").encode(errors="replace").decode() if isinstance(value, str) else ""


def client_id(data: dict[str, Any]) -> str:
    """The id by which a repeated message is known. Raises BadClientId: without one a retry makes a twin."""
    found = text(data, "client_id")
    if not 1 <= len(found) <= LONGEST_CLIENT_ID:
        raise BadClientId
    return found


def fields(data: dict[str, Any], offered: Iterable[int]) -> dict[int, str]:
    """What stands in the programme's own fields, by id: a text, a number, or yes and no. Raises BadFields."""
    sent, known = data.get("fields"), {str(id): id for id in offered}
    if sent is None:
        return {}
    if not isinstance(sent, dict) or not sent.keys() <= known.keys():
        raise BadFields
    return {known[key]: _typed(sent, key) for key in sent}


def _typed(sent: dict[str, Any], key: str) -> str:
    match sent[key]:
        case None | str():
            return text(sent, key)
        case bool(value):
            return "yes" if value else "no"
        case int(value) | float(value):
            return str(value)
    raise BadFields
