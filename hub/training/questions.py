"""Questions to a webinar's host: asked, wanted by others, answered."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core.database import db, touched
from ..core.errors import HubError
from ..core.i18n import _l
from ..notifications.service import notify
from . import kinds
from .models import Webinar, WebinarQuestion, WebinarVote
from .service import path

#: As many as fit on a page; a host answers no more in an hour.
SHOWN = 50


class QuestionsClosed(HubError):
    message = _l("Questions are closed: this webinar is cancelled.")


def ask(webinar: Webinar, user: User, text: str) -> WebinarQuestion:
    """Put a question to the host; the one who asks wants it too. Raises QuestionsClosed."""
    if webinar.is_cancelled:
        raise QuestionsClosed
    question = WebinarQuestion(webinar_id=webinar.id, user_id=user.id, text=text, votes=1)
    db.session.add(question)
    db.session.flush()
    db.session.add(WebinarVote(question_id=question.id, user_id=user.id))
    return question


def vote(question: WebinarQuestion, user: User) -> bool:
    """Want a question answered, or no longer; says whether one wants it now."""
    db.session.refresh(question, with_for_update=True)
    own = (WebinarVote.question_id == question.id, WebinarVote.user_id == user.id)
    taken_back = touched(delete(WebinarVote).where(*own))
    if not taken_back:
        db.session.add(WebinarVote(question_id=question.id, user_id=user.id))
    step = -1 if taken_back else 1
    db.session.execute(
        update(WebinarQuestion)
        .where(WebinarQuestion.id == question.id)
        .values(votes=WebinarQuestion.votes + step)
    )
    return not taken_back


def answer(question: WebinarQuestion, text: str) -> None:
    """Answer in writing; whoever asked hears of the first answer."""
    is_first = not question.answer
    question.answer = text or None
    if text and is_first:
        params = {"title": question.webinar.title}
        notify([question.user], kinds.ANSWERED.name, params, f"{path(question.webinar)}#questions")


def of(webinar: Webinar) -> list[WebinarQuestion]:
    """Its questions, the most wanted first."""
    rows = (
        select(WebinarQuestion)
        .options(joinedload(WebinarQuestion.user))
        .where(WebinarQuestion.webinar_id == webinar.id)
        .order_by(WebinarQuestion.votes.desc(), WebinarQuestion.id)
        .limit(SHOWN)
    )
    return list(db.session.scalars(rows))


def wanted_by(user: User, questions: list[WebinarQuestion]) -> set[int]:
    """Ids of those of `questions` that `user` voted for."""
    ids = [question.id for question in questions]
    rows = select(WebinarVote.question_id).where(
        WebinarVote.user_id == user.id, WebinarVote.question_id.in_(ids)
    )
    return set(db.session.scalars(rows))
