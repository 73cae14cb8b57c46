"""The bell over Socket.IO: a page that was away asks for its number."""

from typing import Any

from ..accounts.models import User
from ..core.live import on
from . import service


@on("bell")
def bell(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """How many notifications wait: `{count}`, counted up to 100."""
    return {"count": service.unread_count(user)}
