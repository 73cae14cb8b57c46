"""What a ticket is about and how urgent it is."""

from ..accounts.models import User
from . import news, promises
from .history import happened, lock
from .models import Category, Priority, Ticket


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
