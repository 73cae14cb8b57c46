"""Ideas: proposed by partners, voted for once by each, answered by the team."""

from sqlalchemy import delete, select, update

from ..accounts.models import User
from ..core.database import db, touched
from ..notifications.service import notify
from . import kinds
from .models import Idea, IdeaStatus, IdeaVote


def propose(user: User, title: str, body: str) -> Idea:
    """Write an idea down; whoever proposes it wants it too."""
    idea = Idea(title=title, body=body, user_id=user.id, votes=1)
    db.session.add(idea)
    db.session.flush()
    db.session.add(IdeaVote(idea_id=idea.id, user_id=user.id))
    return idea


def vote(idea: Idea, user: User) -> bool:
    """Want an idea, or no longer; says whether one wants it now."""
    db.session.refresh(idea, with_for_update=True)
    taken_back = touched(delete(IdeaVote).where(IdeaVote.idea_id == idea.id, IdeaVote.user_id == user.id))
    if not taken_back:
        db.session.add(IdeaVote(idea_id=idea.id, user_id=user.id))
    step = -1 if taken_back else 1
    db.session.execute(update(Idea).where(Idea.id == idea.id).values(votes=Idea.votes + step))
    return not taken_back


def decide(idea: Idea, status: IdeaStatus, reply: str) -> None:
    """Say what becomes of an idea; who proposed it hears when the state is another one."""
    if status is not idea.status:
        notify([idea.user], kinds.IDEA.name, {"title": idea.title}, f"/surveys/ideas#idea-{idea.id}")
    idea.status, idea.reply = status, reply


def wanted_by(user: User, ideas: list[Idea]) -> set[int]:
    """Ids of those of `ideas` that `user` voted for."""
    ids = [idea.id for idea in ideas]
    rows = select(IdeaVote.idea_id).where(IdeaVote.user_id == user.id, IdeaVote.idea_id.in_(ids))
    return set(db.session.scalars(rows))
