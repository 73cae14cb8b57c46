"""“Was this helpful?”: one answer per person and article."""

from typing import Any

from sqlalchemy import select

from ..core import clock
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
