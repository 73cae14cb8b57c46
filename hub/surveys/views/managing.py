"""Making surveys and reading what they found."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select

from ...core import sheets
from ...core.access import Permission, requires, visible, visible_or_404
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid
from ...core.i18n import LOCALES, _
from ...core.paging import page
from ...training.models import Webinar
from .. import results, service
from ..forms import QuestionForm, SurveyForm
from ..models import Invitation, Question, Survey
from .blueprint import bp


@bp.get("/manage")
@requires(Permission.SURVEYS_MANAGE)
def manage() -> ResponseReturnValue:
    """List all surveys, the newest first."""
    rows = page(visible(select(Survey), current_user), request.args.get("at"), Survey.id)
    counts = select(Invitation.survey_id, func.count(), func.count(Invitation.responded_at)).group_by(
        Invitation.survey_id
    )
    ids = [survey.id for survey in rows]
    answered = {
        id: (asked, done)
        for id, asked, done in db.session.execute(counts.where(Invitation.survey_id.in_(ids)))
    }
    return render_template("surveys/manage.html", page=rows, answered=answered)


@bp.get("/<int:id>/results")
@requires(Permission.SURVEYS_MANAGE)
def show_results(id: int) -> ResponseReturnValue:
    """Show a survey with its questions, or with what it found once it is out."""
    survey = one(id)
    if survey.is_draft:
        return render_template("surveys/draft.html", survey=survey, people=len(service.audience_of(survey)))
    return render_template("surveys/results.html", survey=survey, results=results.of(survey))


@bp.get("/<int:id>/results.csv")
@requires(Permission.SURVEYS_MANAGE)
def results_csv(id: int) -> ResponseReturnValue:
    """All responses for a spreadsheet."""
    head, rows = results.table(one(id))
    headers = {"Content-Disposition": f"attachment; filename=survey-{id}.csv"}
    return Response(sheets.write(head, rows), content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/<int:id>/preview")
@requires(Permission.SURVEYS_MANAGE)
def preview(id: int) -> ResponseReturnValue:
    """Show the form as partners will see it."""
    return render_template(
        "surveys/answer.html", survey=one(id), wrong={}, given={}, scale=service.SCALE, preview=True
    )


@bp.get("/new")
@requires(Permission.SURVEYS_MANAGE)
def new() -> ResponseReturnValue:
    """Ask what the survey will be."""
    return _edit_page(SurveyForm(_webinars()), None)


@bp.post("/")
@requires(Permission.SURVEYS_MANAGE)
def create() -> ResponseReturnValue:
    """Begin a survey."""
    form = SurveyForm(_webinars())
    if form.validate_on_submit():
        try:
            with transaction():
                survey = service.draft(current_user, **form.values())
        except Invalid as error:
            form.blame(error)
        else:
            return redirect(url_for(".show_results", id=survey.id), 303)
    return _edit_page(form, None), 422


@bp.get("/<int:id>/edit")
@requires(Permission.SURVEYS_MANAGE)
def edit(id: int) -> ResponseReturnValue:
    """Show a survey as a form."""
    survey = one(id)
    return _edit_page(SurveyForm(_webinars(), survey), survey)


@bp.post("/<int:id>/edit")
@requires(Permission.SURVEYS_MANAGE)
def update(id: int) -> ResponseReturnValue:
    """Change a survey."""
    form, survey = SurveyForm(_webinars(), one(id)), one(id)
    if form.validate_on_submit():
        try:
            with transaction():
                service.change(one(id), current_user, **form.values())
        except Invalid as error:
            form.blame(error)
        else:
            return redirect(url_for(".show_results", id=id), 303)
    return _edit_page(form, survey), 422


@bp.post("/<int:id>/publish")
@requires(Permission.SURVEYS_MANAGE)
def publish(id: int) -> ResponseReturnValue:
    """Let a survey out."""
    return _try(id, service.publish, _("The survey is published. Partners are asked when it opens."))


@bp.post("/<int:id>/close")
@requires(Permission.SURVEYS_MANAGE)
def close(id: int) -> ResponseReturnValue:
    """End a survey now."""
    return _try(id, service.close, _("The survey is closed."))


@bp.get("/<int:id>/questions/new")
@requires(Permission.SURVEYS_MANAGE)
def new_question(id: int) -> ResponseReturnValue:
    """Ask what to ask."""
    return _question_page(QuestionForm(), one(id), None)


@bp.post("/<int:id>/questions")
@requires(Permission.SURVEYS_MANAGE)
def create_question(id: int) -> ResponseReturnValue:
    """Add a question."""
    return _save_question(one(id), None)


@bp.get("/questions/<int:id>/edit")
@requires(Permission.SURVEYS_MANAGE)
def edit_question(id: int) -> ResponseReturnValue:
    """Show a question as a form."""
    question = _question(id)
    return _question_page(QuestionForm(question), question.survey, question)


@bp.post("/questions/<int:id>/edit")
@requires(Permission.SURVEYS_MANAGE)
def update_question(id: int) -> ResponseReturnValue:
    """Change a question."""
    question = _question(id)
    return _save_question(question.survey, question)


@bp.post("/questions/<int:id>/lift")
@requires(Permission.SURVEYS_MANAGE)
def lift_question(id: int) -> ResponseReturnValue:
    """Ask a question one place earlier."""
    with transaction():
        question = _question(id)
        service.lift_question(question)
    return redirect(url_for(".show_results", id=question.survey_id), 303)


@bp.post("/questions/<int:id>/drop")
@requires(Permission.SURVEYS_MANAGE)
def drop_question(id: int) -> ResponseReturnValue:
    """Take a question out."""
    with transaction():
        question = _question(id)
        survey_id = question.survey_id
        service.drop_question(question)
    return redirect(url_for(".show_results", id=survey_id), 303)


def one(id: int) -> Survey:
    return visible_or_404(select(Survey).where(Survey.id == id), current_user)


def _question(id: int) -> Question:
    return visible_or_404(select(Question).where(Question.id == id), current_user)


def _webinars() -> list[Webinar]:
    newest = visible(select(Webinar), current_user).order_by(Webinar.starts_at.desc(), Webinar.id.desc())
    return list(db.session.scalars(newest.limit(30)))


def _try(id: int, verb: object, done: str) -> ResponseReturnValue:
    try:
        with transaction():
            verb(one(id), current_user)  # type: ignore[operator]
    except HubError as error:
        flash(str(error.message), "bad")
    else:
        flash(done)
    return redirect(url_for(".show_results", id=id), 303)


def _edit_page(form: SurveyForm, survey: Survey | None) -> str:
    return render_template("surveys/edit.html", form=form, survey=survey, languages=LOCALES)


def _question_page(form: QuestionForm, survey: Survey, question: Question | None) -> str:
    return render_template(
        "surveys/question.html", form=form, survey=survey, question=question, languages=LOCALES
    )


def _save_question(survey: Survey, question: Question | None) -> ResponseReturnValue:
    form = QuestionForm()
    if form.validate_on_submit():
        try:
            values = form.values()
            with transaction():
                service.set_question(survey, question, **values)
        except Invalid as error:
            form.blame(error)
        else:
            return redirect(url_for(".show_results", id=survey.id), 303)
    return _question_page(form, survey, question), 422
