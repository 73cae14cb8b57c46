"""Fields that the programme adds to its tickets, and what is filled in."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, false
from sqlalchemy.orm import Mapped, mapped_column

from ..core import clock, i18n
from ..core.access import Permission, can, visibility
from ..core.database import db


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"


YES, NO = "yes", "no"


class TicketField(db.Model):
    """A field of tickets. It is archived, never deleted: what was filled in stays."""

    id: Mapped[int] = mapped_column(primary_key=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)  # locale → name; English is always there
    kind: Mapped[Kind]  # never changed: values of another kind would be there
    choices: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # {key, names, gone}
    categories: Mapped[list[str]] = mapped_column(JSON, default=list)  # none of them means all
    is_required: Mapped[bool] = mapped_column(default=False)  # before the team resolves a ticket
    for_partners: Mapped[bool] = mapped_column(default=False)  # partners fill it in when they ask, and see it
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def name(self) -> str:
        return in_words(self.names)

    @property
    def is_chosen(self) -> bool:
        """Is one of a few values picked?"""
        return self.kind in (Kind.CHOICE, Kind.YES_NO)

    def belongs_to(self, category: str) -> bool:
        return self.archived_at is None and (not self.categories or category in self.categories)


class TicketValue(db.Model):
    """What one field of one ticket holds, as text: `1234.5`, `2026-10-31`, the key of a choice, `yes`."""

    __table_args__ = (Index("ix_ticket_value_field_id_value", "field_id", "value", "ticket_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    field_id: Mapped[int] = mapped_column(ForeignKey("ticket_field.id"), primary_key=True)
    value: Mapped[str]


def in_words(names: dict[str, str]) -> str:
    """In the reader's language, or in English."""
    return names.get(i18n.locale()) or names.get("en") or "–"


@visibility(TicketField)
def _fields(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.TICKETS_WORK):
        return statement
    if can(user, Permission.TICKETS_OPEN):
        return statement.where(TicketField.for_partners)
    return statement.where(false())
