"""Tell people what happened, and remember what they have seen."""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Boolean, Table, bindparam, func, insert, or_, select, update

from ..accounts.models import User
from ..core import clock
from ..core.database import after_commit, db, touched
from ..core.frame import nav_count
from ..core.live import announce, listening, soon
from .kinds import known
from .models import Notification

#: The bell shows “99+” beyond; counting further would only cost time.
MOST_COUNTED = 100


_TABLE = cast("Table", Notification.__table__)
#: Asked by every message: of the table, which takes half the time.
_KNOW = (
    select(_TABLE.c.user_id)
    .where(
        _TABLE.c.user_id.in_(bindparam("users", expanding=True)),
        _TABLE.c.kind == bindparam("kind"),
        _TABLE.c.url == bindparam("url"),
        _TABLE.c.read_at.is_(None),
        or_(_TABLE.c.mailed_at.is_(None), bindparam("mailed_too", type_=Boolean())),
    )
    .distinct()
)
_TELL = insert(_TABLE)


def notify(
    users: Iterable[User],
    kind: str,
    params: dict[str, Any] | None = None,
    url: str = "",
    *,
    by_mail: bool = True,
    once: bool = False,
) -> int:
    """Tell each of `users` once, in the open transaction; their bells ring when it has committed. How many were told.

    `params` are JSON values named in the kind's sentence. A missing one raises KeyError here, not on
    the reader's page. `by_mail=False` is for what the caller mails itself. Disabled people are left out.
    `once`: who has the same still unread, and not mailed yet by the hub, is not told again: a chat is one line of the bell.
    """
    params = params or {}
    known(kind).say(params)
    told = {user.id: user for user in users if user.is_active}
    if once and told:
        values = {"users": list(told), "kind": kind, "url": url, "mailed_too": not by_mail}
        for knows in db.session.scalars(_KNOW, values):
            del told[knows]
    if not told:
        return 0
    now = clock.now()
    same = {
        "kind": kind,
        "params": params,
        "url": url,
        "created_at": now,
        "mailed_at": None if by_mail else now,
    }
    # All in one statement: a new ticket tells the whole team.
    db.session.execute(_TELL, [same | {"user_id": id} for id in told])
    ring_bells(list(told))
    return len(told)


def ring_bells(user_ids: list[int]) -> None:
    """Soon after the commit, show these people their number of unread notifications."""
    after_commit(lambda: soon(_ring, user_ids))


def _ring(user_ids: list[int]) -> None:
    here = listening(user_ids)
    counts = unread_counts(here)
    for user_id in here:
        announce(f"user:{user_id}", "bell", {"count": counts.get(user_id, 0)})


def _up_to_most(reader: Any) -> Any:
    unread = select(Notification.id).where(Notification.user_id == reader, Notification.read_at.is_(None))
    # Correlated: else each would have the unread of everyone.
    return select(func.count()).select_from(unread.correlate(User).limit(MOST_COUNTED).subquery())


#: Asked by every page, and by every message: built once.
_COUNT_UNREAD = _up_to_most(bindparam("reader"))
_COUNT_EACH = select(User.id, _up_to_most(User.id).correlate(User).scalar_subquery()).where(
    User.id.in_(bindparam("users", expanding=True))
)


def unread_counts(user_ids: list[int]) -> dict[int, int]:
    """How many wait for each of these people, counted up to 100."""
    rows = db.session.execute(_COUNT_EACH, {"users": user_ids}) if user_ids else ()
    return {user_id: count for user_id, count in rows}  # noqa: C416 – rows are no pairs to mypy


@nav_count("notifications.index")
def unread_count(user: User) -> int:
    """How many wait for `user`, counted up to 100."""
    if not user.is_authenticated:
        return 0
    return db.session.scalar(_COUNT_UNREAD, {"reader": user.id}) or 0


def mark_read(notification: Notification) -> None:
    """It has been seen; a second look changes nothing."""
    if notification.read_at is None:
        notification.read_at = clock.now()
        ring_bells([notification.user_id])


def mark_all_read(user: User) -> int:
    """Everything so far has been seen; returns how many were unread."""
    return _read(user, Notification.read_at.is_(None))


def mark_read_at(user: User, url: str) -> int:
    """What leads to `url` has been seen there: for rooms whose page was opened from elsewhere."""
    return _read(user, Notification.url == url, Notification.read_at.is_(None))


def _read(user: User, *conditions: Any) -> int:
    statement = update(Notification).where(Notification.user_id == user.id, *conditions)
    changed = touched(statement.values(read_at=clock.now()))
    if changed:
        ring_bells([user.id])
    return changed
