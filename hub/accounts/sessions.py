"""Signed-in browsers: begun at sign-in, ended by their owner or an admin."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update

from ..core import clock
from ..core.database import db
from ..core.extensions import login_manager
from ..core.settings import settings
from .models import User, UserSession


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(user: User, *, address: str | None = None, browser: str | None = None) -> str:
    """Begin a session and return its token, which is stored nowhere but in the cookie."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    db.session.add(
        UserSession(
            user_id=user.id,
            token_hash=_hash(token),
            expires_at=now + timedelta(days=settings.session_days),
            address=address,
            browser=(browser or "")[:200],
        )
    )
    user.last_seen_at = now
    user.session_token = token
    return token


def end_all(user: User, *, but: str | None = None) -> None:
    """End every session of `user`, except the one with token `but`."""
    statement = update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    if but:
        statement = statement.where(UserSession.token_hash != _hash(but))
    db.session.execute(statement.values(ended_at=clock.now()))


@login_manager.user_loader
def load(token: str) -> User | None:
    """The person behind a cookie, if the session lives and the person is not disabled."""
    now = clock.now()
    user = db.session.scalar(
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.token_hash == _hash(token),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
        )
        .where(User.disabled_at.is_(None))
    )
    if user is not None:
        user.session_token = token
    return user
