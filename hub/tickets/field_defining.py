"""Which fields of their own tickets have: managers say so."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from ..accounts.models import User
from ..core import audit, clock
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import _l
from .fields import MOST
from .models_fields import TicketField

MOST_CHOICES = 40


class TooManyFields(HubError):
    message = _l("There are 30 fields already. Archive one of them first.")


def save(actor: User, field: TicketField, said: Mapping[str, Any]) -> TicketField:
    """Write down what a manager says of a new or known field. Raises TooManyFields, Invalid."""
    is_new = field.id is None
    if len(said["choices"]) > MOST_CHOICES:
        raise Invalid(choices=[_l("At most 40.")])
    if is_new:
        _check_room()
    before = None if is_new else _audited(field)
    for name, value in said.items():
        setattr(field, name, value)
    db.session.add(field)
    db.session.flush()
    action = "ticket_field.created" if is_new else "ticket_field.changed"
    if before != _audited(field):
        audit.record(actor, action, f"ticket_field:{field.id}", before=before, after=_audited(field))
    return field


def archive(actor: User, field: TicketField, *, back: bool = False) -> None:
    """Take a field out of use, or into use again. What was filled in stays. Raises TooManyFields."""
    if back == (field.archived_at is None):
        return
    if back:
        _check_room()
    field.archived_at = None if back else clock.now()
    action = "ticket_field.restored" if back else "ticket_field.archived"
    audit.record(actor, action, f"ticket_field:{field.id}")


def _check_room() -> None:
    used = select(func.count()).select_from(TicketField).where(TicketField.archived_at.is_(None))
    if (db.session.scalar(used) or 0) >= MOST:
        raise TooManyFields


def _audited(field: TicketField) -> dict[str, Any]:
    told = ("names", "kind", "choices", "categories", "is_required", "for_partners", "position")
    return {name: getattr(field, name) for name in told}


def renamed(
    choices: Sequence[Mapping[str, Any]], rows: Iterable[tuple[str, dict[str, str], bool]]
) -> list[Any]:
    """Choices as a form has them: (key or "", names, is it gone?). A key is given once and never again."""
    fresh = max((int(each["key"]) for each in choices), default=0)
    left = {each["key"]: each for each in choices}
    kept: list[dict[str, Any]] = []
    for key, names, gone in rows:
        known = left.pop(key, None)
        fresh += known is None
        kept.append({"key": key if known else str(fresh), "names": names, "gone": gone})
    # What was not sent along has been added by somebody else meanwhile: only a mark withdraws a choice.
    return [*kept, *left.values()]
