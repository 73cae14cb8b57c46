"""What partners see: surveys that wait, the form, thanks."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, can, requires, visible, visible_or_404
from ...core.database import db, transaction
from .. import ideas, service
from ..forms import IdeaForm
from ..models import Idea, Survey
from .blueprint import bp

IDEAS_SHOWN = 5


@bp.get("/")
@requires(Permission.SURVEYS_ANSWER, Permission.SURVEYS_MANAGE)
def index() -> ResponseReturnValue:
    """Show what waits for answers, what was answered, and what others wish for."""
    if can(current_user, Permission.SURVEYS_MANAGE):
        return redirect(url_for(".manage"))
    best = visible(select(Idea), current_user).order_by(Idea.votes.desc(), Idea.id).limit(IDEAS_SHOWN)
    shown = list(db.session.scalars(best))
    return render_template(
        "surveys/index.html",
        waiting=service.open_for(current_user),
        answered=service.answered_by(current_user),
        ideas=shown,
        wanted=ideas.wanted_by(current_user, shown),
        form=IdeaForm(),
    )


@bp.get("/<int:id>")
@requires(Permission.SURVEYS_ANSWER)
def show(id: int) -> ResponseReturnValue:
    """Show a survey as a form."""
    survey = _one(id)
    if service.invitation_of(survey, current_user).responded_at:
        return redirect(url_for(".thanks", id=id))
    return _form(survey)


@bp.post("/<int:id>")
@requires(Permission.SURVEYS_ANSWER)
def respond(id: int) -> ResponseReturnValue:
    """Take the answers."""
    survey = _one(id)
    _given, wrong = service.check(survey.questions, request.form)
    if wrong and survey.is_open:
        return _form(survey, wrong), 422
    try:
        with transaction():
            survey = _one(id)
            given, _wrong = service.check(survey.questions, request.form)
            service.respond(survey, current_user, given)
    except service.AlreadyAnswered:
        pass  # pressed twice: the thanks are the same
    return redirect(url_for(".thanks", id=id), 303)


@bp.get("/<int:id>/thanks")
@requires(Permission.SURVEYS_ANSWER)
def thanks(id: int) -> ResponseReturnValue:
    """Say thank you."""
    return render_template("surveys/thanks.html", survey=_one(id), waiting=service.open_for(current_user))


def _one(id: int) -> Survey:
    return visible_or_404(select(Survey).where(Survey.id == id), current_user)


def _form(survey: Survey, wrong: dict[int, str] | None = None) -> str:
    return render_template(
        "surveys/answer.html",
        survey=survey,
        wrong=wrong or {},
        given=request.form,
        scale=service.SCALE,
        preview=False,
    )
