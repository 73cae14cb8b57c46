"""What waits for a partner's answer, from every room that has such things."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from ..accounts.models import User
from ..core.i18n import _
from ..tickets import service as tickets


@dataclass(frozen=True)
class Task:
    """Something to answer, and where; `action` is the word on its button."""

    title: str
    url: str
    about: str
    action: str
    at: datetime | None = None


def tasks(user: User) -> list[Task]:
    """The most urgent first."""
    return _tickets(user)


def _tickets(user: User) -> list[Task]:
    return [
        Task(
            title=ticket.subject,
            url=url_for("tickets.show", number=ticket.number),
            about=ticket.preview,
            action=_("Reply"),
            at=ticket.updated_at,
        )
        for ticket in tickets.waiting_for(user)
    ]
