"""What a composer starts with: how far the other side has read, and what was begun. One statement."""

import functools
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal, select

from ..accounts.models import User
from ..core.access import Permission, can, roles_with
from ..core.database import db
from .models import Draft, ReadMark, Ticket, Visibility


def standing(ticket: Ticket, viewer: User) -> tuple[int, dict[Visibility, Draft]]:
    """The last `seq` that anybody of the other side has read, and the viewer's drafts."""
    asked = _standing(works=can(viewer, Permission.TICKETS_WORK))
    rows = db.session.execute(asked, {"ticket": ticket.id, "viewer": viewer.id}).all()
    return rows[0][0], {draft.visibility: draft for _seen, draft in rows if draft is not None}


@functools.cache
def _standing(*, works: bool) -> Select[Any]:
    """Built once for the team and once for partners: every ticket's page asks it."""
    team = roles_with(Permission.TICKETS_WORK)
    other = User.role.not_in(team) if works else User.role.in_(team)
    seen = (
        select(func.coalesce(func.max(ReadMark.seq), 0))
        .join(User, User.id == ReadMark.user_id)
        .where(ReadMark.ticket_id == bindparam("ticket"), other)
        .scalar_subquery()
    )
    one = select(literal(1)).subquery()
    begun = and_(Draft.ticket_id == bindparam("ticket"), Draft.user_id == bindparam("viewer"))
    return select(seen, Draft).select_from(one).outerjoin(Draft, begun)
