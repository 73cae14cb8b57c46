"""What a reader has missed in a thread: after sleep, a restart, a lost line."""

from typing import Any

from ..accounts.models import User
from . import news
from .editing import edited
from .history import last_event
from .messages import PAGE, thread
from .models import Ticket
from .reading import read_marks


def since(ticket: Ticket, reader: User, *, after: int, event: int = 0) -> dict[str, Any]:
    """Messages past the seq `after`, older ones changed past the event `event`, and where the ticket stands.

    At most PAGE messages come at once: `more` says to ask again, after the last one.
    """
    messages = thread(ticket, reader, after=after)
    return {
        "messages": [news.as_json(message) for message in messages],
        "edited": [news.as_json(message) for message in edited(ticket, reader, up_to=after, event=event)],
        "more": len(messages) == PAGE,
        "state": news.state(ticket) | {"event": last_event(ticket), "read": read_marks(ticket)},
    }
