"""What a composer starts with: how far the other side has read, and what was begun. One statement."""

from sqlalchemy import and_, func, literal, select

from ..accounts.models import User
from ..core.access import Permission, can, roles_with
from ..core.database import db
from .models import Draft, ReadMark, Ticket, Visibility


def standing(ticket: Ticket, viewer: User) -> tuple[int, dict[Visibility, Draft]]:
    """The last `seq` that anybody of the other side has read, and the viewer's drafts."""
    team = roles_with(Permission.TICKETS_WORK)
    other = User.role.not_in(team) if can(viewer, Permission.TICKETS_WORK) else User.role.in_(team)
    seen = (
        select(func.coalesce(func.max(ReadMark.seq), 0))
        .join(User, User.id == ReadMark.user_id)
        .where(ReadMark.ticket_id == ticket.id, other)
        .scalar_subquery()
    )
    one = select(literal(1)).subquery()
    begun = and_(Draft.ticket_id == ticket.id, Draft.user_id == viewer.id)
    rows = db.session.execute(select(seen, Draft).select_from(one).outerjoin(Draft, begun)).all()
    return rows[0][0], {draft.visibility: draft for _seen, draft in rows if draft is not None}
