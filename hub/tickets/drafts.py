"""What people have begun to write."""

from typing import cast

from sqlalchemy import Table, bindparam, delete, select

from ..accounts.models import User
from ..core import clock
from ..core.database import db
from ..core.live import announce, user_room
from .errors import MessageTooLong
from .messages import MAX_BODY
from .models import Draft, Ticket, Visibility


def save_draft(ticket: Ticket, author: User, visibility: Visibility, body: str) -> None:
    """Keep what `author` has begun to write; an empty text forgets it. Raises MessageTooLong."""
    if len(body) > MAX_BODY:
        raise MessageTooLong
    if not body.strip():
        forget_draft(ticket, author, visibility)
        return
    key = {"ticket_id": ticket.id, "user_id": author.id, "visibility": visibility}
    draft = db.session.get(Draft, key)
    was = draft.body if draft else ""
    if draft is None:
        db.session.add(Draft(**key, body=body))
    else:
        draft.body, draft.updated_at = body, clock.now()
    _show_elsewhere(ticket, author, visibility, body=body, was=was)


#: One statement for what happens with every message, most of which had no draft.
_TABLE = cast("Table", Draft.__table__)
_FORGET = (
    delete(_TABLE)
    .where(
        _TABLE.c.ticket_id == bindparam("ticket"),
        _TABLE.c.user_id == bindparam("author"),
        _TABLE.c.visibility == bindparam("kind"),
    )
    .returning(_TABLE.c.body)
)


def forget_draft(ticket: Ticket, author: User, visibility: Visibility) -> None:
    """What was begun is sent, or given up."""
    values = {"ticket": ticket.id, "author": author.id, "kind": visibility}
    was = db.session.execute(_FORGET, values).scalar()
    if was is not None:
        _show_elsewhere(ticket, author, visibility, body="", was=was)


def _show_elsewhere(ticket: Ticket, author: User, visibility: Visibility, *, body: str, was: str) -> None:
    """The author's other windows show the same draft; nobody else hears of it."""
    news = {"ticket": ticket.number, "kind": visibility, "body": body, "was": was}
    announce(user_room(author.id), "draft", news)


_DRAFTS = select(Draft).where(Draft.ticket_id == bindparam("ticket"), Draft.user_id == bindparam("author"))


def drafts(ticket: Ticket, author: User) -> dict[Visibility, Draft]:
    found = db.session.scalars(_DRAFTS, {"ticket": ticket.id, "author": author.id})
    return {draft.visibility: draft for draft in found}
