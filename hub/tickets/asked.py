"""What a program asks for, read from JSON that may hold anything."""

from typing import Any

from ..core.errors import Invalid
from ..core.i18n import _l

LONGEST_CLIENT_ID = 64
#: Columns hold no larger number.
LARGEST = 2**31
MOST_FIELDS = 30


class BadClientId(Invalid):
    message = _l("`client_id` needs 1 to 64 characters, another one for every message.")


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


def fields(data: dict[str, Any]) -> dict[int, str]:
    """What stands in the programme's own fields, by id: a text, a number, or yes and no."""
    sent = data.get("fields")
    known = (
        {str(key): value for key, value in list(sent.items())[:MOST_FIELDS]} if isinstance(sent, dict) else {}
    )
    return {
        int(key): _typed(known, key) for key in known if key.isascii() and key.isdecimal() and len(key) < 10
    }


def _typed(sent: dict[str, Any], key: str) -> str:
    match sent[key]:
        case bool(value):
            return "yes" if value else "no"
        case int(value) | float(value):
            return str(value)
    return text(sent, key)
