"""Questions of a quiz for those who write them; an address names a question by what it says."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.i18n import LOCALES, _, _l
from .. import writing as authors
from ..forms import QuizForm
from ..writing import ChangedMeanwhile, Writing, open_writing
from .blueprint import bp
from .writing import change

_AT = "/manage/courses/<key>/<lang>/quiz"
_GONE = _l(
    "Somebody else has changed this question since you opened it, or taken it out. Yours stands below: save it as a new one, or cancel."
)


@bp.get("/manage/courses/<key>/<lang>/new-question")
@requires(Permission.TRAINING_MANAGE)
def new_quiz_question(key: str, lang: str) -> ResponseReturnValue:
    """Ask what to ask."""
    return _page(QuizForm(), open_writing(key, lang, current_user), None)


@bp.post(_AT)
@requires(Permission.TRAINING_MANAGE)
def create_quiz_question(key: str, lang: str) -> ResponseReturnValue:
    """Add a question."""
    return _save(key, lang, None)


@bp.get(f"{_AT}/<sign>")
@requires(Permission.TRAINING_MANAGE)
def edit_quiz_question(key: str, lang: str, sign: str) -> ResponseReturnValue:
    """Show a question as a form."""
    writing = open_writing(key, lang, current_user)
    try:
        question = authors.question(writing, sign)
    except ChangedMeanwhile:
        return redirect(url_for(".written", key=key, lang=lang, _anchor="quiz"))
    return _page(QuizForm(question), writing, sign)


@bp.post(f"{_AT}/<sign>")
@requires(Permission.TRAINING_MANAGE)
def update_quiz_question(key: str, lang: str, sign: str) -> ResponseReturnValue:
    """Change a question."""
    return _save(key, lang, sign)


@bp.post(f"{_AT}/<sign>/move")
@requires(Permission.TRAINING_MANAGE)
def move_quiz_question(key: str, lang: str, sign: str) -> ResponseReturnValue:
    """One place earlier or later."""
    up = request.form.get("to") == "up"
    return change(key, lang, lambda writing: authors.move_question(writing, current_user, sign, up=up), "quiz")  # fmt: skip


@bp.post(f"{_AT}/<sign>/drop")
@requires(Permission.TRAINING_MANAGE)
def drop_quiz_question(key: str, lang: str, sign: str) -> ResponseReturnValue:
    """Take a question out."""
    return change(key, lang, lambda writing: authors.drop_question(writing, current_user, sign), "quiz")


def _save(key: str, lang: str, sign: str | None) -> ResponseReturnValue:
    form, status = QuizForm(), 422
    if form.validate_on_submit():
        try:
            with transaction():
                writing = open_writing(key, lang, current_user, lock=True)
                authors.put_question(writing, current_user, form.values(), sign)
        except ChangedMeanwhile:
            form.form_errors.append(_GONE)
            sign, status = None, 409
        else:
            flash(_("The question is saved."))
            return redirect(url_for(".written", key=key, lang=lang, _anchor="quiz"), 303)
    return _page(form, open_writing(key, lang, current_user), sign), status


def _page(form: QuizForm, writing: Writing, sign: str | None) -> str:
    return render_template(
        "training/quiz_edit.html", form=form, writing=writing, sign=sign, language=LOCALES[writing.locale]
    )
