"""Signed-in browsers: begun at sign-in, ended by their owner or an admin."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import Connection, bindparam, select, update

from ..core import clock, live
from ..core.access import Role, is_staff
from ..core.database import db
from ..core.extensions import login_manager
from ..core.settings import Switch, settings
from .models import User, UserSession
from .secrets import fingerprint, token

#: How often a visit is written down.
SEEN_EVERY = timedelta(minutes=5)
#: A session that was not to be kept ends when the browser does, or after this long.
SHORT = timedelta(hours=12)


def begin(user: User, *, address: str | None = None, browser: str | None = None, is_kept: bool = True) -> str:
    """Begin a session and return its token, which is stored nowhere but in the cookie."""
    now = clock.now()
    session = UserSession(
        user_id=user.id,
        token_hash=fingerprint(secret := token()),
        created_at=now,
        seen_at=now,
        confirmed_at=now,
        expires_at=now + _lifetime(is_kept),
        is_kept=is_kept,
        address=address,
        browser=(browser or "")[:200],
    )
    db.session.add(session)
    db.session.flush()
    user.last_seen_at = now
    user.session_token, user.current_session = secret, session
    return secret


def _lifetime(is_kept: bool) -> timedelta:
    return timedelta(days=settings.session_days) if is_kept else SHORT


#: Asked at every request: built once.
_LOAD = (
    select(User, UserSession)
    .join(UserSession, UserSession.user_id == User.id)
    .where(UserSession.token_hash == bindparam("fingerprint"), UserSession.ended_at.is_(None))
    .where(UserSession.expires_at > bindparam("now"), User.disabled_at.is_(None))
)


@login_manager.user_loader
def load(secret: str) -> User | None:
    """The person behind a cookie, if the session lives and the person is not disabled."""
    found = db.session.execute(_LOAD, {"fingerprint": fingerprint(secret), "now": clock.now()}).first()
    if found is None:
        return None
    user: User = found[0]
    user.session_token, user.current_session = secret, found[1]
    user.is_visit_due = is_due(found[1])
    return user


@dataclass(frozen=True)
class Reader:
    """As much of a signed-in person as it takes to ask what they may see."""

    id: int
    role: Role
    is_authenticated: ClassVar[bool] = True


_READ = (
    select(User.id, User.role, UserSession.seen_at)
    .join(UserSession, UserSession.user_id == User.id)
    .where(*_LOAD.whereclause.clauses)  # type: ignore[union-attr]
)


def reader(connection: Connection, secret: str | None) -> Reader | None:
    """The person behind a cookie, asked for in a third of the time that `load` takes.

    None for nobody, and where more is to be done than to answer: a visit to be written down, a second factor to be
    asked for.
    """
    values = {"fingerprint": fingerprint(secret or ""), "now": clock.now()}
    found = connection.execute(_READ, values).first() if secret else None
    if found is None or clock.now() - found.seen_at >= SEEN_EVERY:
        return None
    who = Reader(found.id, found.role)
    return None if settings.staff_totp is Switch.ON and is_staff(who) else who


def alive(user: User) -> list[UserSession]:
    """The sessions of `user` that have not ended, the last used first."""
    open_ones = select(UserSession).where(
        UserSession.user_id == user.id, UserSession.ended_at.is_(None), UserSession.expires_at > clock.now()
    )
    return list(db.session.scalars(open_ones.order_by(UserSession.seen_at.desc(), UserSession.id.desc())))


def end(session: UserSession) -> None:
    """End one session and its open pages."""
    session.ended_at = session.ended_at or clock.now()
    live.disconnect(session.user_id)


def end_all(user: User, *, but: str | None = None) -> None:
    """End every session of `user` and its open pages, except the one with token `but`."""
    statement = update(UserSession).where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
    if but:
        statement = statement.where(UserSession.token_hash != fingerprint(but))
    db.session.execute(statement.values(ended_at=clock.now()))
    live.disconnect(user.id)


def is_due(session: UserSession) -> bool:
    """Has it been a while since this session's last visit was written down?"""
    return clock.now() - session.seen_at >= SEEN_EVERY


def visit(session: UserSession, address: str | None) -> None:
    """Write down a visit, and let the session live on from now."""
    now = clock.now()
    session.seen_at, session.address = now, address
    session.expires_at = now + _lifetime(session.is_kept)
    session.user.last_seen_at = now


def confirm(session: UserSession) -> None:
    """The person has just given their password again."""
    session.confirmed_at = clock.now()
