"""What open pages hear: who listens to which room, and how news gets there.

A web process emits over Socket.IO. A worker or a command has no sockets: with
Redis it emits through it; embedded, it leaves a row that the web process looks
for twice a second. Such rows are news, never the truth.

A socket outlives the page's sign-in, so every event asks again who is there.
"""

import functools
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from flask import Flask, current_app, request
from flask_login import current_user
from flask_socketio import ConnectionRefusedError, join_room
from sqlalchemy import JSON, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from . import clock, i18n
from .access import Permission, can
from .database import after_commit, db, transaction
from .errors import HubError
from .extensions import socketio
from .i18n import _
from .jobs import job

log = structlog.get_logger()


class Process(StrEnum):
    """What kind of process an application lives in."""

    WEB = "web"
    WORKER = "worker"  # the queue's consumer, and commands


#: An event for web processes themselves: look whose sessions have ended. Never sent to a page.
CLOSE = "hub:close"


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


def disconnect(user_id: int) -> None:
    """Close the open pages of `user_id` whose session or token has ended, once the transaction has committed.

    A page whose session lives stays open. Works from every process.
    """
    after_commit(lambda: _disconnect(user_id))


def _disconnect(user_id: int) -> None:
    app = current_app
    if app.extensions["hub.process"] is Process.WEB:
        _close_ended(user_id)
        if not app.extensions["hub.settings"].redis_url:  # then this is the only web process
            return
    try:
        with transaction() as session:
            session.add(LiveEvent(room=user_room(user_id), event=CLOSE, payload={"user": user_id}))
    except Exception as error:
        # Not lost: their next event finds out, and what they hear meanwhile is their own news.
        log.warning("disconnect late", user=user_id, error=str(error)[:200])


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
        if event.event == CLOSE:
            _close_ended(event.payload["user"])
        else:
            socketio.emit(event.event, event.payload, to=event.room)
        last = event.id
    return last


# --- Sockets of this process -----------------------------------------------

Handler = Callable[[Any, dict[str, Any]], dict[str, Any] | None]
_handlers: dict[str, Callable[..., Any]] = {}
_listeners: dict[str, int] = {}  # socket → user, of this process only


def user_room(user_id: int) -> str:
    """Where a person's own news arrive, on all their pages."""
    return f"user:{user_id}"


def on(event: str) -> Callable[[Handler], Handler]:
    """Handle an event of an open page as `handler(user, data)`, the user loaded afresh.

    The page's acknowledgement is `{"ok": true, **result}`, or `{"ok": false, "error": text}`
    when a HubError says no. A page whose person is gone is disconnected.
    """

    def register(handler: Handler) -> Handler:
        _handlers[event] = _guarded(event, handler)
        return handler

    return register


def _guarded(event: str, handler: Handler) -> Callable[..., Any]:
    @functools.wraps(handler)
    def handle(data: Any = None) -> dict[str, Any]:
        if not current_user.is_authenticated:
            socketio.server.disconnect(request.sid)  # type: ignore[attr-defined]
            return {"ok": False, "error": _("You are signed out. Sign in again.")}
        i18n.activate(current_user.locale, current_user.time_zone)
        try:
            result = handler(current_user._get_current_object(), data if isinstance(data, dict) else {})
        except HubError as error:
            return {"ok": False, "error": str(error.message)}
        except Exception:
            log.exception("live event", name=event)
            return {"ok": False, "error": _("That did not work. Try again in a moment.")}
        return {"ok": True} | (result or {})

    return handle


def _connect(auth: Any = None) -> None:
    """Let people in who are signed in, or who bring `auth: {token}`, and put them where their news arrive."""
    if isinstance(auth, dict) and isinstance(auth.get("token"), str):
        # The environment stays with the socket: later events find the token where the API has it.
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {auth['token']}"
    if not current_user.is_authenticated:
        raise ConnectionRefusedError("signed out")
    _listeners[request.sid] = current_user.id  # type: ignore[attr-defined]
    join_room(user_room(current_user.id))
    if can(current_user, Permission.TICKETS_WORK):
        join_room("inbox")


def _leave(*_reason: Any) -> None:
    _listeners.pop(request.sid, None)  # type: ignore[attr-defined]


def _close_ended(user_id: int) -> None:
    """Disconnect the sockets of `user_id` in this process that nobody may use any more."""
    server = socketio.server
    for sid in [sid for sid, user in _listeners.copy().items() if user == user_id]:
        environ = server.get_environ(sid)
        if environ is None:
            _listeners.pop(sid, None)
            continue
        app = environ["flask.app"]
        with app.app_context(), app.request_context(environ):  # a context of its own, with nobody in it yet
            is_ended = not current_user.is_authenticated
        if is_ended:
            server.disconnect(sid)


def init_app(app: Flask) -> None:
    """Open the socket's door, after the rooms have registered what they handle."""
    socketio.on_event("connect", _connect)
    socketio.on_event("disconnect", _leave)
    for event, handler in _handlers.items():
        socketio.on_event(event, handler)


@job("live.prune", every="*/10 * * * *")
def prune() -> None:
    """Forget news older than ten minutes."""
    with transaction() as session:
        session.execute(delete(LiveEvent).where(LiveEvent.at < clock.now() - timedelta(minutes=10)))
