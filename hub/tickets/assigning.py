"""Who of the team works on a ticket."""

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from ..accounts.models import User
from ..core.access import Permission, can, roles_with
from ..core.database import db
from . import news
from .errors import NotOnTheTeam
from .history import happened, lock
from .models import Ticket


def assign(ticket: Ticket, actor: User, assignee: User | None) -> None:
    """Give the ticket to a colleague, or back to the team with None. Raises NotOnTheTeam."""
    if assignee is not None and not (can(assignee, Permission.TICKETS_WORK) and assignee.is_active):
        raise NotOnTheTeam
    lock(ticket)
    if ticket.assignee_id != (assignee.id if assignee else None):
        give(ticket, actor, assignee)
        news.assigned(ticket, actor)


def give(ticket: Ticket, actor: User | None, assignee: User | None) -> None:
    """Change whose ticket it is; nobody as the actor means the hub itself. The row must be locked."""
    happened(ticket, actor, "assigned", to=assignee.name if assignee else None)
    ticket.assignee_id = assignee.id if assignee else None
    # Whoever is told of it in this transaction is told who has it.
    set_committed_value(ticket, "assignee", db.session.get_one(User, assignee.id) if assignee else None)


_COLLEAGUES = (
    select(User)
    .where(User.role.in_(roles_with(Permission.TICKETS_WORK)), User.disabled_at.is_(None))
    .order_by(User.name)
)


def team() -> list[User]:
    """Everyone who may be given a ticket."""
    return list(db.session.scalars(_COLLEAGUES))
