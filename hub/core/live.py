"""What open pages hear: who listens to which room, and how news gets there.

A web process emits over Socket.IO. A worker or a command has no sockets: with
Redis it emits through it; embedded, it leaves a row that the web process looks
for twice a second. Such rows are news, never the truth.
"""

import threading
import time
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import JSON, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .database import after_commit, db, transaction
from .extensions import socketio
from .jobs import job

log = structlog.get_logger()


class Process(StrEnum):
    """What kind of process an application lives in."""

    WEB = "web"
    WORKER = "worker"  # the queue's consumer, and commands


class LiveEvent(db.Model):
    """News from a process without sockets, for the web process to pass on."""

    id: Mapped[int] = mapped_column(primary_key=True)
    room: Mapped[str]
    event: Mapped[str]
    payload: Mapped[Any] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


def announce(room: str, event: str, payload: dict[str, Any] | None = None) -> None:
    """Tell everyone in `room`, once the open transaction has committed.

    Rooms are `user:<id>`, `ticket:<id>`, `inbox` (all who work on tickets),
    `newsletter:<id>`. Never raises: who missed it sees it on the next load.
    """
    after_commit(lambda: _announce(room, event, payload or {}))


def _announce(room: str, event: str, payload: dict[str, Any]) -> None:
    try:
        app = current_app
        if app.extensions["hub.process"] is Process.WEB or app.extensions["hub.settings"].redis_url:
            socketio.emit(event, payload, to=room)
            return
        with transaction() as session:
            session.add(LiveEvent(room=room, event=event, payload=payload))
    except Exception as error:
        log.warning("announcement lost", room=room, name=event, error=str(error)[:200])


def start_relay(app: Flask, pause: float = 0.5) -> None:
    """Pass on what the worker leaves, from a thread of this web process."""

    def relay() -> None:
        last: int | None = None
        while True:
            try:
                with app.app_context():
                    last = _pass_on(last)
            except Exception as error:
                log.warning("relay", error=str(error)[:200])
                time.sleep(2)
            time.sleep(pause)

    threading.Thread(target=relay, name="live-relay", daemon=True).start()


def _pass_on(last: int | None) -> int:
    if last is None:
        return db.session.scalar(select(func.max(LiveEvent.id))) or 0
    for event in db.session.scalars(select(LiveEvent).where(LiveEvent.id > last).order_by(LiveEvent.id)):
        socketio.emit(event.event, event.payload, to=event.room)
        last = event.id
    return last


@job("live.prune", every="*/10 * * * *")
def prune() -> None:
    """Forget news older than ten minutes."""
    with transaction() as session:
        session.execute(delete(LiveEvent).where(LiveEvent.at < clock.now() - timedelta(minutes=10)))
