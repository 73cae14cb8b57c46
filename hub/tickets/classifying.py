"""What a ticket is about and how urgent it is."""

from collections.abc import Iterable

from sqlalchemy import delete, insert

from ..accounts.models import User
from ..core.database import db
from . import news, promises
from .history import happened, lock
from .models import Category, Priority, Ticket, TicketTag

MOST_TAGS = 10
LONGEST_TAG = 30


def tidy(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, without twins, sorted, not too many."""
    words = (" ".join(tag.lower().replace("#", " ").split())[:LONGEST_TAG] for tag in tags)
    return sorted({word for word in words if word})[:MOST_TAGS]


def set_tags(ticket: Ticket, actor: User, tags: Iterable[str]) -> None:
    """Replace the ticket's tags."""
    lock(ticket)
    after = tidy(tags)
    if after == ticket.tags:
        return
    happened(ticket, actor, "tags", before=ticket.tags, after=after)
    db.session.execute(delete(TicketTag).where(TicketTag.ticket_id == ticket.id))
    if after:
        db.session.execute(insert(TicketTag), [{"ticket_id": ticket.id, "name": tag} for tag in after])
    ticket.tags = after
    news.changed(ticket)


def classify(ticket: Ticket, actor: User, *, priority: Priority, category: Category) -> None:
    """Set priority and category; each change is an event."""
    lock(ticket)
    if ticket.priority is not priority:
        happened(ticket, actor, "priority", before=ticket.priority, after=priority)
        ticket.priority = priority
    if ticket.category is not category:
        happened(ticket, actor, "category", before=ticket.category, after=category)
        ticket.category = category
    promises.follow(ticket)
    news.changed(ticket)
