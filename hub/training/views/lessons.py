"""Lessons of a course for those who write them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.errors import Invalid
from ...core.i18n import LOCALES, _
from .. import writing as authors
from ..forms import LessonForm
from ..models import LessonText
from ..writing import LESSON, ChangedMeanwhile, Writing, mark, open_writing, said
from .blueprint import bp
from .writing import change, compared

_AT = "/manage/courses/<key>/<lang>/lessons"


@bp.get("/manage/courses/<key>/<lang>/new-lesson")
@requires(Permission.TRAINING_MANAGE)
def new_lesson(key: str, lang: str) -> ResponseReturnValue:
    """An empty lesson."""
    return _page(LessonForm(), open_writing(key, lang, current_user))


@bp.post(_AT)
@requires(Permission.TRAINING_MANAGE)
def create_lesson(key: str, lang: str) -> ResponseReturnValue:
    """Add a lesson at the end."""
    form = LessonForm()
    if form.validate_on_submit():
        try:
            with transaction():
                writing = open_writing(key, lang, current_user, lock=True)
                authors.add_lesson(writing, current_user, form.values())
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("The lesson is saved."))
            return redirect(url_for(".written", key=key, lang=lang), 303)
    return _page(form, open_writing(key, lang, current_user)), 422


@bp.get(f"{_AT}/<lesson>")
@requires(Permission.TRAINING_MANAGE)
def edit_lesson(key: str, lang: str, lesson: str) -> ResponseReturnValue:
    """Show a lesson as a form; of a new translation, the text to translate."""
    writing = open_writing(key, lang, current_user)
    text, model = writing.lesson(lesson)
    form = LessonForm(data=said(model, LESSON) | {"seen": mark(said(text, LESSON))})
    return _page(form, writing, text, model)


@bp.post(f"{_AT}/<lesson>")
@requires(Permission.TRAINING_MANAGE)
def update_lesson(key: str, lang: str, lesson: str) -> ResponseReturnValue:
    """Change a lesson."""
    form, meanwhile = LessonForm(), False
    if form.validate_on_submit():
        try:
            with transaction():
                writing = open_writing(key, lang, current_user, lock=True)
                authors.save_lesson(writing, lesson, current_user, form.values(), form.seen.data or "")
        except ChangedMeanwhile as error:
            form.blame(error)
            meanwhile = True
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("The lesson is saved."))
            return redirect(url_for(".written", key=key, lang=lang), 303)
    writing = open_writing(key, lang, current_user)
    text, model = writing.lesson(lesson)
    theirs = compared(form, said(text, LESSON)) if meanwhile else None
    return _page(form, writing, text, model, theirs), 409 if meanwhile else 422


@bp.post(f"{_AT}/<lesson>/move")
@requires(Permission.TRAINING_MANAGE)
def move_lesson(key: str, lang: str, lesson: str) -> ResponseReturnValue:
    """One place earlier or later."""
    up = request.form.get("to") == "up"
    return change(key, lang, lambda writing: authors.move_lesson(writing, lesson, up=up), "lessons")


@bp.post(f"{_AT}/<lesson>/drop")
@requires(Permission.TRAINING_MANAGE)
def drop_lesson(key: str, lang: str, lesson: str) -> ResponseReturnValue:
    """Take a lesson out of this language."""
    return change(key, lang, lambda writing: authors.drop_lesson(writing, lesson, current_user), "lessons")


def _page(
    form: LessonForm,
    writing: Writing,
    text: LessonText | None = None,
    model: LessonText | None = None,
    theirs: Any = None,
) -> str:
    return render_template(
        "training/lesson_edit.html",
        form=form,
        writing=writing,
        text=text,
        model=model,
        theirs=theirs,
        languages=LOCALES,
    )
