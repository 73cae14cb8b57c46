"""What somebody types is kept on the server before they save it, and others are told who is there."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from ..accounts.models import User
from ..core import clock
from ..core.database import db, touched
from .models.writing import Draft

#: Fields that are kept.
FIELDS = ("title", "summary", "slug", "tags", "body", "why", "seen", "source_seen", "locale")
PLACE = re.compile(r"\d{1,9}|new(?::\d{1,9})?")
#: An editor says every 20 seconds that it is open.
STILL_HERE = timedelta(seconds=60)
KEPT = timedelta(days=60)


def visit(user: User, place: str) -> Draft:
    """Somebody is at this editor."""
    draft = mine(user, place)
    if draft is None:
        draft = Draft(user_id=user.id, place=place)
        db.session.add(draft)
    draft.here_at = clock.now()
    return draft


def keep(user: User, place: str, fields: dict[str, str]) -> Draft:
    """Keep what was typed so far."""
    draft = visit(user, place)
    draft.fields = {name: fields[name][:250_000] for name in FIELDS if name in fields}
    draft.saved_at = clock.now()
    return draft


def mine(user: User, place: str) -> Draft | None:
    return db.session.scalar(select(Draft).where(Draft.user_id == user.id, Draft.place == place))


def drop(user: User, place: str) -> None:
    """It was saved, or given up."""
    db.session.execute(delete(Draft).where(Draft.user_id == user.id, Draft.place == place))


def others(user: User, place: str) -> list[str]:
    """Names of those who have the same editor open."""
    return list(
        db.session.scalars(
            select(User.name)
            .join(Draft, Draft.user_id == User.id)
            .where(Draft.place == place, Draft.user_id != user.id, Draft.here_at > clock.now() - STILL_HERE)
            .order_by(User.name)
        )
    )


def tidy() -> int:
    """Forget who was where, and drafts that nobody came back to; how many rows went."""
    now: Any = clock.now()
    empty = Draft.fields.is_(None) & (Draft.here_at < now - timedelta(days=1))
    return touched(delete(Draft).where(empty | (Draft.here_at < now - KEPT)))
