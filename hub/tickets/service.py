"""What can be done with a ticket, the same at every door. Each verb lives in the module of its noun."""

import functools
from typing import Any

from sqlalchemy import Select, select

from ..accounts.models import User
from ..core.access import Role, Somebody, visible
from ..core.database import db
from .assigning import assign, team
from .classifying import classify, set_tags
from .drafts import drafts, forget_draft, save_draft
from .editing import edit, edited, may_edit
from .history import events, last_event, locked
from .merging import final, merge, merge_of, split, unmerge
from .messages import MAX_BODY, PAGE, File, thread
from .models import Status, Ticket
from .opening import open_ticket
from .reading import mark_read, seen_by_other_side
from .replying import note, reply
from .states import set_status, snooze

__all__ = [
    "MAX_BODY",
    "PAGE",
    "File",
    "assign",
    "classify",
    "drafts",
    "edit",
    "edited",
    "events",
    "final",
    "forget_draft",
    "last_event",
    "locked",
    "mark_read",
    "may_edit",
    "merge",
    "merge_of",
    "note",
    "open_ticket",
    "reply",
    "save_draft",
    "seen_by_other_side",
    "set_status",
    "set_tags",
    "snooze",
    "split",
    "team",
    "thread",
    "unmerge",
    "waiting_for",
]


def waiting_for(user: User) -> list[Ticket]:
    """The user's own live tickets that wait for their answer, newest first, at most five."""
    return list(db.session.scalars(_waiting_for(user.role), {"reader": user.id}))


@functools.cache
def _waiting_for(role: Role) -> Select[Any]:
    """Built once per role: every first page asks it."""
    mine = visible(select(Ticket), Somebody(role)).where(Ticket.status == Status.WAITING)
    return mine.order_by(Ticket.updated_at.desc()).limit(5)
