"""What open pages hear: who listens to which room, and how news gets there.

A web process emits over Socket.IO. A worker or a command has no sockets: with
Redis it emits through it; embedded, it leaves a row that the web process looks
for twice a second. Such rows are news, never the truth.

A socket outlives the page's sign-in, so every event asks again who is there.
"""

import functools
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from blinker import Namespace
from flask import Flask, current_app, request
from flask_login import current_user
from sqlalchemy import JSON, delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from . import clock, i18n, presence, sockets
from .access import Permission, can
from .database import after_commit, db, transaction
from .errors import HubError
from .extensions import ConnectionRefusedError, join_room, socketio
from .i18n import _
from .jobs import job

log = structlog.get_logger()


class Process(StrEnum):
    """What kind of process an application lives in."""

    WEB = "web"
    WORKER = "worker"  # the queue's consumer, and commands


#: What is told twice a second, all of it at once; nobody waits so long where no relay runs.
_soon: dict[Callable[[list[int]], None], set[int]] = {}
_soon_lock = threading.Lock()

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

    Rooms are `user:<id>`, `ticket:<id>`, `inbox` (open pages of the inbox),
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


def soon(tell: Callable[[list[int]], None], ids: Iterable[int]) -> None:
    """Call `tell` with all the ids that come within half a second, each of them once; at once where no relay runs.

    For news of which only the latest counts. A number in the head of twenty pages need not move with every message.
    """
    if "hub.relays" not in current_app.extensions:
        tell(list(ids))
        return
    with _soon_lock:
        _soon.setdefault(tell, set()).update(ids)


def _tell_soon() -> None:
    with _soon_lock:
        found = dict(_soon)
        _soon.clear()
    for tell, ids in found.items():
        tell(sorted(ids))


def disconnect(user_id: int, *, whoever: bool = False) -> None:
    """Close the open pages of `user_id` whose session or token has ended, once the transaction has committed.

    A page whose session lives stays open; with `whoever` it leaves its rooms, and comes back by itself to those that
    it may still hear. Works from every process.
    """
    after_commit(lambda: _disconnect(user_id, whoever))


def _disconnect(user_id: int, whoever: bool) -> None:
    app = current_app
    if app.extensions["hub.process"] is Process.WEB:
        _close(user_id, whoever)
        if not app.extensions["hub.settings"].redis_url:  # then this is the only web process
            return
    try:
        with transaction() as session:
            session.add(
                LiveEvent(room=user_room(user_id), event=CLOSE, payload={"user": user_id, "whoever": whoever})
            )
    except Exception as error:
        # Not lost: their next event finds out, and what they hear meanwhile is their own news.
        log.warning("disconnect late", user=user_id, error=str(error)[:200])


def start_relay(app: Flask, pause: float = 0.5) -> None:
    """Pass on what the worker leaves, and give signs of life, from a thread of this web process."""

    def relay() -> None:
        last: int | None = None
        beaten = 0.0
        while True:
            try:
                with app.app_context():
                    _tell_soon()
                    last = _pass_on(last)
                    _see_off_late()
                    if _listeners and time.monotonic() - beaten > presence.BEAT.total_seconds():
                        beaten = time.monotonic()
                        with transaction():
                            presence.beat()
            except Exception as error:
                log.warning("relay", error=str(error)[:200])
                time.sleep(2)
            time.sleep(pause)

    app.extensions["hub.relays"] = True
    threading.Thread(target=relay, name="live-relay", daemon=True).start()


def _pass_on(last: int | None) -> int:
    if last is None:
        return db.session.scalar(select(func.max(LiveEvent.id))) or 0
    for event in db.session.scalars(select(LiveEvent).where(LiveEvent.id > last).order_by(LiveEvent.id)):
        if event.event == CLOSE:
            _close(event.payload["user"], event.payload.get("whoever", False))
        else:
            socketio.emit(event.event, event.payload, to=event.room)
        last = event.id
    return last


#: Somebody has come to a live room or left it; its name is the sender.
moved = Namespace().signal("presence-moved")

# --- Sockets of this process -----------------------------------------------

Handler = Callable[[Any, dict[str, Any]], dict[str, Any] | None]
_handlers: dict[str, Callable[..., Any]] = {}
_listeners: dict[str, int] = {}  # socket → user, of this process only
_present: set[str] = set()  # those of them that have a row of presence
_leaving: set[str] = set()  # have gone, while nothing could be written


def user_room(user_id: int) -> str:
    """Where a person's own news arrive, on all their pages."""
    return f"user:{user_id}"


def listening(user_ids: list[int]) -> list[int]:
    """Those of these people who may have a page open: where this process holds all the sockets, those who do."""
    app = current_app
    if app.extensions["hub.process"] is not Process.WEB or app.extensions["hub.settings"].redis_url:
        return user_ids
    here = set(_listeners.copy().values())
    return [user_id for user_id in user_ids if user_id in here]


def on(event: str, *, writes: bool = False) -> Callable[[Handler], Handler]:
    """Handle an event of an open page as `handler(user, data)`, the user loaded afresh.

    With `writes` all of it is one transaction, and the acknowledgement comes after its commit.

    The page's acknowledgement is `{"ok": true, **result}`, or `{"ok": false, "error": text}`
    when a HubError says no. A page whose person is gone is disconnected.
    """

    def register(handler: Handler) -> Handler:
        _handlers[event] = _guarded(event, handler, writes)
        return handler

    return register


def _guarded(event: str, handler: Handler, writes: bool) -> Callable[..., Any]:
    @functools.wraps(handler)
    def handle(data: Any = None) -> dict[str, Any]:
        try:
            with transaction() if writes else nullcontext():
                result = _handled(handler, data if isinstance(data, dict) else {})
        except _SignedOut:
            socketio.server.disconnect(socket_id())
            return {"ok": False, "error": _("You are signed out. Sign in again.")}
        except HubError as error:
            return {"ok": False, "error": str(error.message)}
        except OperationalError as error:
            # Too much to do, or no database: a page of the log for each of a thousand chats would make it worse.
            log.warning("live event", name=event, error=str(error)[:200])
            return {"ok": False, "error": _("That did not work. Try again in a moment.")}
        except Exception:
            log.exception("live event", name=event)
            return {"ok": False, "error": _("That did not work. Try again in a moment.")}
        return {"ok": True} | (result or {})

    return handle


class _SignedOut(Exception):
    """The page's person is gone."""


def _handled(handler: Handler, data: dict[str, Any]) -> dict[str, Any] | None:
    if not current_user.is_authenticated:
        raise _SignedOut
    i18n.activate(current_user.locale, current_user.time_zone)
    return handler(current_user._get_current_object(), data)


def _connect(auth: Any = None) -> None:
    """Let people in who are signed in, or who bring `auth: {token}`, and put them where their news arrive."""
    if isinstance(auth, dict) and isinstance(auth.get("token"), str):
        # The environment stays with the socket: later events find the token where the API has it.
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {auth['token']}"
    if not current_user.is_authenticated:
        raise ConnectionRefusedError("signed out")
    _listeners[socket_id()] = current_user.id
    join_room(user_room(current_user.id))
    if can(current_user, Permission.TICKETS_WORK):
        # Partners wait for somebody of the team to be here, wherever in the hub.
        look(current_user)


def socket_id() -> str:
    """The socket whose event is handled."""
    return request.sid  # type: ignore[attr-defined]


def look(user: Any, place: str | None = None) -> None:
    """The page whose event is handled is open, and looks at a live room."""
    _present.add(socket_id())
    with transaction():
        presence.arrive(socket_id(), user.id, place)
    _tell_moved(place)


@on("away")
def away(user: Any, data: dict[str, Any]) -> None:
    """The person has not touched the page for long (`away: true`), or is back."""
    with transaction():
        place = (presence.leave if data.get("away") else presence.come_back)(socket_id())
    _tell_moved(place)


def _leave(*_reason: Any) -> None:
    _listeners.pop(socket_id(), None)
    if socket_id() not in _present:
        return
    _present.discard(socket_id())
    try:
        _see_off({socket_id()})
    except OperationalError as error:
        # Else they would be here for as long as this process is.
        _leaving.add(socket_id())
        log.warning("leaving late", error=str(error)[:200])


def _see_off(gone: set[str]) -> None:
    with transaction():
        places = {presence.leave(each) for each in gone}
    for place in places:
        _tell_moved(place)


def _see_off_late() -> None:
    if gone := _leaving.copy():
        _see_off(gone)
        _leaving.difference_update(gone)


def _tell_moved(place: str | None) -> None:
    if place is not None:
        moved.send(place)


def _close(user_id: int, whoever: bool) -> None:
    """Disconnect the sockets of `user_id` in this process that nobody may use any more, or all of them."""
    server = socketio.server
    for sid in [sid for sid, user in _listeners.copy().items() if user == user_id]:
        environ = server.get_environ(sid)
        if environ is None:
            _listeners.pop(sid, None)
            continue
        app = environ["flask.app"]
        with app.app_context(), app.request_context(environ):  # a context of its own, with nobody in it yet
            is_closed = whoever or not current_user.is_authenticated
        if is_closed:
            server.disconnect(sid)


def init_app(app: Flask) -> None:
    """Open the socket's door, after the rooms have registered what they handle."""
    presence.init_app(app)
    sockets.furnish(socketio.server.eio)
    socketio.on_event("connect", _connect)
    socketio.on_event("disconnect", _leave)
    for event, handler in _handlers.items():
        socketio.on_event(event, handler)


@job("live.prune", every="*/10 * * * *")
def prune() -> None:
    """Forget news older than ten minutes, and who has left."""
    with transaction() as session:
        session.execute(delete(LiveEvent).where(LiveEvent.at < clock.now() - timedelta(minutes=10)))
        presence.prune()
