"""Open pages of a running newsletter hear how far it is."""

from typing import Any

from flask_socketio import join_room, leave_room
from sqlalchemy import select

from ..core import live
from ..core.access import Permission, can, visible_or_404
from ..core.errors import Forbidden
from . import ledger
from .models import Newsletter


@live.on("newsletter.watch")
def watch(user: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Listen to one newsletter; the answer is how far it is now."""
    if not can(user, Permission.NEWSLETTERS_MANAGE):
        raise Forbidden
    number = data.get("id")
    asked = select(Newsletter).where(Newsletter.id == (number if isinstance(number, int) else 0))
    newsletter = visible_or_404(asked, user)
    join_room(f"newsletter:{newsletter.id}")
    return {"progress": {"id": newsletter.id, **ledger.progress(newsletter)}}


@live.on("newsletter.leave")
def leave(user: Any, data: dict[str, Any]) -> None:
    """Listen no longer."""
    if isinstance(data.get("id"), int):
        leave_room(f"newsletter:{data['id']}")
