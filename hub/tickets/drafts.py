"""What people have begun to write."""

from sqlalchemy import bindparam, select

from ..accounts.models import User
from ..core import clock
from ..core.database import db
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
    if draft is None:
        db.session.add(Draft(**key, body=body))
    else:
        draft.body, draft.updated_at = body, clock.now()


def forget_draft(ticket: Ticket, author: User, visibility: Visibility) -> None:
    draft = db.session.get(Draft, {"ticket_id": ticket.id, "user_id": author.id, "visibility": visibility})
    if draft is not None:
        db.session.delete(draft)


_DRAFTS = select(Draft).where(Draft.ticket_id == bindparam("ticket"), Draft.user_id == bindparam("author"))


def drafts(ticket: Ticket, author: User) -> dict[Visibility, Draft]:
    found = db.session.scalars(_DRAFTS, {"ticket": ticket.id, "author": author.id})
    return {draft.visibility: draft for draft in found}
