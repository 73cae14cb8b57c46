"""What somebody types is kept on the server before they save it, and others are told who is there."""

import re
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from ..accounts.models import User
from ..core import clock
from ..core.database import db, touched
from .models.writing import Draft

#: What is typed anew each time.
_NOT_KEPT = {"csrf_token"}
#: The id of a text; `new`, or `new:<id>` for a translation of that text, and the name of the tab.
PLACE = re.compile(r"\d{1,9}|new(?::\d{1,9})?(?:-[0-9a-f]{12})?")
_MOST_SHOWN = 5
_MOST_FIELDS = 50
#: An editor says every 20 seconds that it is open.
STILL_HERE = timedelta(seconds=60)
KEPT = timedelta(days=60)


def visit(user: User, place: str) -> Draft:
    """Somebody is at this editor."""
    draft = mine(user, place)
    if draft is None:
        # Two requests of one editor wait for each other.
        db.session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
        draft = mine(user, place)
    if draft is None:
        draft = Draft(user_id=user.id, place=place)
        db.session.add(draft)
    draft.here_at = clock.now()
    return draft


def keep(user: User, place: str, fields: dict[str, list[str]]) -> Draft:
    """Keep what was typed so far; of one field there may be several values."""
    draft = visit(user, place)
    draft.fields = {
        name: [each[:250_000] for each in values]
        for name, values in list(fields.items())[:_MOST_FIELDS]
        if name not in _NOT_KEPT
    }
    draft.saved_at = clock.now()
    return draft


def mine(user: User, place: str) -> Draft | None:
    return db.session.scalar(select(Draft).where(Draft.user_id == user.id, Draft.place == place))


def new_place(of: str) -> str:
    """Where one more new text is written."""
    return f"{of}-{secrets.token_hex(6)}"


def token_of(place: str) -> str:
    """The part of a place that tells the tabs with something new apart."""
    return place.partition("-")[2]


def begun(user: User, of: str) -> list[Draft]:
    """New texts that somebody has begun and not saved, the last first."""
    mine = select(Draft).where(Draft.user_id == user.id, Draft.place.startswith(f"{of}-", autoescape=True))
    kept = mine.where(Draft.saved_at.is_not(None)).order_by(Draft.saved_at.desc())
    return list(db.session.scalars(kept.limit(_MOST_SHOWN)))


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
