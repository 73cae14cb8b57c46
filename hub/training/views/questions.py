"""Questions to a webinar's host."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from .. import questions
from ..forms import AnswerForm, QuestionForm
from ..models import WebinarQuestion
from .blueprint import bp
from .webinars import one as one_webinar
from .webinars import show_page as webinar_page


@bp.post("/webinars/<int:id>/questions")
@requires(Permission.TRAINING_ATTEND)
def ask(id: int) -> ResponseReturnValue:
    """Put a question to the host."""
    form = QuestionForm()
    if not form.validate_on_submit():
        return webinar_page(one_webinar(id), form, 422)
    with transaction():
        questions.ask(one_webinar(id), current_user, form.text.data)
    return _back(id)


@bp.post("/questions/<int:id>/vote")
@requires(Permission.TRAINING_ATTEND)
def vote(id: int) -> ResponseReturnValue:
    """Want a question answered, or no longer."""
    with transaction():
        question = _one(id)
        questions.vote(question, current_user)
    return _back(question.webinar_id)


@bp.post("/questions/<int:id>/answer")
@requires(Permission.TRAINING_MANAGE)
def answer(id: int) -> ResponseReturnValue:
    """Answer a question in writing."""
    form = AnswerForm()
    with transaction():
        question = _one(id)
        if form.validate_on_submit():
            questions.answer(question, form.text.data)
    return _back(question.webinar_id)


def _one(id: int) -> WebinarQuestion:
    return visible_or_404(select(WebinarQuestion).where(WebinarQuestion.id == id), current_user)


def _back(webinar_id: int) -> ResponseReturnValue:
    return redirect(url_for(".show", id=webinar_id, _anchor="questions"), 303)
