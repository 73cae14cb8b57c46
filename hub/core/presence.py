"""Who is here: a row for every open page that matters, good for as long as its web process gives signs of life.

A closed page's row stays for a moment: whoever goes from one page to the next has not left.
A killed process takes its pages along as soon as its last sign of life is too old.
"""

import functools
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app
from sqlalchemy import ForeignKey, Select, case, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .access import Role
from .database import Base, db, insert_of_dialect

#: A process gives a sign of life this often, and is taken for dead after three lost ones.
BEAT = timedelta(seconds=15)
DEAD = 3 * BEAT
#: So long a page may be away between two others.
GRACE = timedelta(seconds=15)
#: So long it is known when somebody was here last.
REMEMBERED = timedelta(minutes=10)


class WebProcess(db.Model):
    """A process that holds open pages."""

    id: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class Presence(db.Model):
    """An open page: whose, and which live room it looks at."""

    id: Mapped[str] = mapped_column(primary_key=True)  # of the socket
    process_id: Mapped[str] = mapped_column(ForeignKey("web_process.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    place: Mapped[str | None] = mapped_column(index=True)
    left_at: Mapped[datetime | None]  # closed, or not touched for long


def init_app(app: Flask) -> None:
    app.extensions["hub.process_id"] = uuid.uuid4().hex


def arrive(socket: str, user_id: int, place: str | None = None) -> None:
    """A page is open, and looks at `place`; in the open transaction."""
    beat()
    row = db.session.get(Presence, socket)
    if row is None:
        process = current_app.extensions["hub.process_id"]
        db.session.add(Presence(id=socket, process_id=process, user_id=user_id, place=place))
    else:
        row.place, row.left_at = place or row.place, None
    db.session.flush()


def leave(socket: str) -> str | None:
    """A page is closed, or nobody has touched it for long; returns the place it looked at."""
    row = db.session.get(Presence, socket)
    if row is None:
        return None
    row.left_at = row.left_at or clock.now()
    return row.place


def come_back(socket: str) -> str | None:
    """Somebody touches the page again; returns the place it looks at."""
    row = db.session.get(Presence, socket)
    if row is None:
        return None
    row.left_at = None
    return row.place


def beat() -> None:
    """A sign of life of this process, in the open transaction. The first one makes its row."""
    process, now = current_app.extensions["hub.process_id"], clock.now()
    row = db.session.get(WebProcess, process)
    if row is None:
        # After a restart a thousand pages come at once, each the first: one of them makes the row.
        first = insert_of_dialect(WebProcess).values(id=process, seen_at=now).on_conflict_do_nothing()
        db.session.execute(first)
    elif row.seen_at < now - BEAT / 2:
        row.seen_at = now


def at(place: str) -> Sequence[int]:
    """Ids of the people who look at `place`."""
    here = select(Presence.user_id).join(WebProcess, WebProcess.id == Presence.process_id)
    here = here.where(
        Presence.place == place, Presence.left_at.is_(None), WebProcess.seen_at > clock.now() - DEAD
    )
    return db.session.scalars(here.distinct().order_by(Presence.user_id)).all()


@functools.cache
def _last_here(roles: tuple[Role, ...]) -> Select[Any, Any]:
    """Built once: every first page asks it."""
    user = Base.metadata.tables["user"]
    stays = Presence.left_at.is_(None)
    return (
        select(func.max(case((stays, WebProcess.seen_at))), func.max(Presence.left_at))
        .join(WebProcess, WebProcess.id == Presence.process_id)
        .join(user, user.c.id == Presence.user_id)
        .where(user.c.role.in_(roles), user.c.disabled_at.is_(None))
    )


def here_until(roles: Sequence[Role]) -> datetime | None:
    """Until when somebody of these roles counts as here: in the past when they have left, None if long ago."""
    seen, left = db.session.execute(_last_here(tuple(roles))).one()
    ends = [moment + patience for moment, patience in ((seen, DEAD), (left, GRACE)) if moment]
    return max(ends, default=None)


def prune() -> None:
    """Forget who left long ago, and dead processes with all their pages; in the open transaction."""
    old = clock.now() - REMEMBERED
    dead = select(WebProcess.id).where(WebProcess.seen_at < old)
    db.session.execute(delete(Presence).where((Presence.left_at < old) | Presence.process_id.in_(dead)))
    db.session.execute(delete(WebProcess).where(WebProcess.seen_at < old))
