"""Courses for those who write them: the list, a course in one language, when partners see it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from ...core import markup
from ...core.access import Permission, requires, visible
from ...core.database import db, transaction
from ...core.errors import Invalid
from ...core.i18n import LOCALES, _, locale
from ...core.paging import page
from ...kb import comparing
from ...kb.service import link_of
from .. import writing as authors
from ..forms import CourseForm, NewCourseForm
from ..models import Certificate, Course, CourseStatus, CourseText, Lesson, Progress
from ..writing import ChangedMeanwhile, Writing, mark, open_writing, said
from .blueprint import bp
from .courses import html

_DONE = {
    CourseStatus.PUBLISHED: lambda: _("The course is published. Partners find it under Training."),
    CourseStatus.ARCHIVED: lambda: _("The course is archived. Certificates stay valid."),
    CourseStatus.DRAFT: lambda: _("The course is a draft again. Only the team sees it."),
}


@bp.get("/manage/courses")
@requires(Permission.TRAINING_MANAGE)
def courses() -> ResponseReturnValue:
    """List courses with how they are used, the newest first."""
    show = request.args.get("show", "")
    wanted = visible(select(Course), current_user).options(selectinload(Course.texts))
    if show in list(CourseStatus):
        wanted = wanted.where(Course.texts.any(CourseText.status == CourseStatus(show)))
    rows = page(wanted, request.args.get("at"), Course.id)
    return render_template("training/courses.html", page=rows, show=show, languages=LOCALES, **_use(rows))


def _use(rows: Any) -> dict[str, dict[int, int]]:
    """How many began each course, and how many have its certificate."""
    ids = [course.id for course in rows]
    began = (
        select(Lesson.course_id, func.count(func.distinct(Progress.user_id)))
        .join(Progress, Progress.lesson_id == Lesson.id)
        .where(Lesson.course_id.in_(ids))
        .group_by(Lesson.course_id)
    )
    certified = select(Certificate.course_id, func.count()).where(Certificate.course_id.in_(ids))
    counted = {"began": began, "certified": certified.group_by(Certificate.course_id)}
    return {
        name: {id: count for id, count in db.session.execute(each)}  # noqa: C416 – rows are no pairs to mypy
        for name, each in counted.items()
    }


@bp.get("/manage/courses/new")
@requires(Permission.TRAINING_MANAGE)
def new_course() -> ResponseReturnValue:
    """Ask what the course will be."""
    return _course_page(NewCourseForm(data={"language": locale()}), None)


@bp.post("/manage/courses")
@requires(Permission.TRAINING_MANAGE)
def create_course() -> ResponseReturnValue:
    """Begin a course."""
    form = NewCourseForm()
    if form.validate_on_submit():
        try:
            with transaction():
                course = authors.begin(current_user, form.language.data, form.values())
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("The draft is saved. Only the team sees it until you publish it."))
            return redirect(url_for(".written", key=course.key, lang=form.language.data), 303)
    return _course_page(form, None), 422


@bp.get("/manage/courses/<key>/<lang>")
@requires(Permission.TRAINING_MANAGE)
def written(key: str, lang: str) -> ResponseReturnValue:
    """Show a course in one language to those who write it."""
    writing = open_writing(key, lang, current_user)
    intro = html(writing.text.body) if writing.text else ""
    return render_template(
        "training/written.html", writing=writing, intro=intro, languages=LOCALES, mark=mark, **_use([writing.course])
    )  # fmt: skip


@bp.get("/manage/courses/<key>/<lang>/preview")
@requires(Permission.TRAINING_MANAGE)
def preview_course(key: str, lang: str) -> ResponseReturnValue:
    """Show all of a course on one page, as partners will read it."""
    writing = open_writing(key, lang, current_user)
    lessons = [(lesson, html(lesson.body)) for lesson in writing.lessons]
    intro = html(writing.written.body)
    return render_template("training/preview.html", writing=writing, intro=intro, lessons=lessons)


@bp.get("/manage/courses/<key>/<lang>/edit")
@requires(Permission.TRAINING_MANAGE)
def edit_course(key: str, lang: str) -> ResponseReturnValue:
    """Show what is written of a course as a form; of a new translation, the text to translate."""
    writing = open_writing(key, lang, current_user)
    seen = mark(said(writing.text, authors.COURSE))
    shown = said(writing.text or writing.model, authors.COURSE)
    return _course_page(CourseForm(data=shown | {"seen": seen}), writing)


@bp.post("/manage/courses/<key>/<lang>/edit")
@requires(Permission.TRAINING_MANAGE)
def update_course(key: str, lang: str) -> ResponseReturnValue:
    """Change what is written of a course."""
    form, theirs = CourseForm(), None
    if form.validate_on_submit():
        try:
            with transaction():
                writing = open_writing(key, lang, current_user, lock=True)
                authors.save(writing, current_user, form.values(), form.seen.data or "")
        except ChangedMeanwhile as error:
            form.blame(error)
            theirs = compared(form, said(open_writing(key, lang, current_user).text, authors.COURSE))
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("Saved."))
            return redirect(url_for(".written", key=key, lang=lang), 303)
    return _course_page(form, open_writing(key, lang, current_user), theirs), 409 if theirs else 422


@bp.post("/manage/courses/<key>/<lang>/status")
@requires(Permission.TRAINING_MANAGE)
def set_status(key: str, lang: str) -> ResponseReturnValue:
    """Publish a course, archive it, or take it back."""
    wanted = request.form.get("status", "")
    if wanted not in list(CourseStatus):
        raise Invalid
    status, everywhere = CourseStatus(wanted), "everywhere" in request.form
    try:
        with transaction():
            writing = open_writing(key, lang, current_user, lock=True)
            authors.set_status(writing, current_user, status, everywhere=everywhere)
    except authors.NothingToRead as error:
        flash(str(error.message), "bad")
    else:
        flash(_DONE[status]())
    return redirect(url_for(".written", key=key, lang=lang), 303)


@bp.post("/preview")
@requires(Permission.TRAINING_MANAGE)
def preview() -> ResponseReturnValue:
    """The text as the page will show it."""
    try:
        return str(markup.article(request.form.get("text", ""), links=link_of).html)
    except Invalid as error:
        return render_template("kb/_refused.html", message=error.message)


def compared(form: Any, theirs: dict[str, Any]) -> list[comparing.Row]:
    """What stands in a form beside what somebody else saved; the form takes note of the latter."""
    form.seen.data = mark(theirs)
    mine = form.values()
    return comparing.rows(*("\n".join(str(each[name]) for name in mine if name in each) for each in (theirs, mine)))  # fmt: skip


def change(key: str, lang: str, verb: Any, anchor: str) -> ResponseReturnValue:
    """Do something small to a course, say so when it is refused, and show the course again."""
    try:
        with transaction():
            verb(open_writing(key, lang, current_user, lock=True))
    except (ChangedMeanwhile, authors.NothingToRead) as error:
        flash(str(error.message), "bad")
    return redirect(url_for(".written", key=key, lang=lang, _anchor=anchor), 303)


def _course_page(form: CourseForm, writing: Writing | None, theirs: Any = None) -> str:
    return render_template(
        "training/course_edit.html", form=form, writing=writing, theirs=theirs, languages=LOCALES
    )
