"""“Was this helpful?”: one answer per person and article."""

from typing import Any

from sqlalchemy import Integer, cast, func, select

from ..core import audit, clock
from ..core.database import db
from .models import Feedback, Reason, Translation


def rate(
    translation: Translation, user: Any, is_helpful: bool, reason: Reason | None, comment: str
) -> Feedback:
    """Note whether an article helped; a second answer of the same person replaces the first."""
    user_id = getattr(user, "id", None)
    mine = Feedback.translation_id == translation.id, Feedback.user_id == user_id
    found = db.session.scalar(select(Feedback).where(*mine).limit(1)) if user_id else None
    feedback = found or Feedback(translation_id=translation.id, user_id=user_id)
    feedback.is_helpful, feedback.reason = is_helpful, None if is_helpful else reason
    feedback.comment, feedback.at, feedback.handled_at = comment.strip()[:2000], clock.now(), None
    db.session.add(feedback)
    return feedback


def handle(feedback: Feedback, actor: Any, done: bool) -> None:
    """Take an answer off the queue, or put it back."""
    if (feedback.handled_at is not None) == done:
        return
    feedback.handled_at = clock.now() if done else None
    action = "article.feedback_handled" if done else "article.feedback_reopened"
    audit.record(actor, action, f"feedback:{feedback.id}")


def shares(translation_ids: set[int]) -> dict[int, tuple[int, int]]:
    """By text: how many it helped, and how many have answered."""
    helped = func.sum(cast(Feedback.is_helpful, Integer))
    rows = select(Feedback.translation_id, helped, func.count()).group_by(Feedback.translation_id)
    found = db.session.execute(rows.where(Feedback.translation_id.in_(translation_ids)))
    return {id: (int(good), count) for id, good, count in found}
