"""Every signed-in page listens for its own person's news."""

from flask_login import current_user
from flask_socketio import join_room

from ..core.extensions import socketio


@socketio.on("connect")
def on_connect(_auth: object = None) -> bool | None:
    """Join one's own room; a visitor's connection is refused."""
    if not current_user.is_authenticated:
        return False
    join_room(f"user:{current_user.id}")
    return None
