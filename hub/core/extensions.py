"""Extension objects, created without an application."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

from .lean import without
from .settings import UNUSED

with without("requests", "websocket", *UNUSED):  # the first two are for a client, which no hub is: 5 MB
    from flask_socketio import ConnectionRefusedError, SocketIO, join_room

#: Also for `live`: who takes these from the library itself, and is first, loads all of it.
__all__ = ["ConnectionRefusedError", "csrf", "join_room", "limiter", "login_manager", "socketio"]

csrf = CSRFProtect()
limiter = Limiter(get_remote_address)
login_manager = LoginManager()
socketio = SocketIO()
