"""Courses: an overview, lessons, the quiz, the certificate."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from ...core import markup
from ...core.access import Permission, public, requires
from ...core.database import transaction
from ...core.errors import NotFound
from ...core.i18n import LOCALES, _
from ...kb.service import link_of
from .. import courses
from ..writing import mark
from .blueprint import bp


@bp.get("/courses/<key>")
@requires(Permission.TRAINING_ATTEND)
def course(key: str) -> ResponseReturnValue:
    """Show what a course holds and how far one is."""
    path = courses.open_course(key, current_user)
    return render_template(
        "training/course.html",
        path=path,
        intro=html(path.text.body),
        result=courses.best_result(path, current_user),
        certificate=courses.certificate_of(path, current_user),
        has_passed=courses.has_passed,
        language=LOCALES[path.text.locale],
    )


@bp.get("/courses/<key>/<lesson>")
@requires(Permission.TRAINING_ATTEND)
def lesson(key: str, lesson: str) -> ResponseReturnValue:
    """Show a lesson."""
    path = courses.open_course(key, current_user)
    before, step, after = path.around(lesson)
    return render_template(
        "training/lesson.html",
        path=path,
        step=step,
        before=before,
        after=after,
        number=path.steps.index(step) + 1,
        body=html(step.text.body),
    )


@bp.post("/courses/<key>/<lesson>")
@requires(Permission.TRAINING_ATTEND)
def finish_lesson(key: str, lesson: str) -> ResponseReturnValue:
    """Note that a lesson is read, and go on."""
    with transaction():
        path = courses.open_course(key, current_user)
        _before, step, after = path.around(lesson)
        courses.finish(step, current_user)
        courses.certify(courses.open_course(key, current_user), current_user)
    if after:
        return redirect(url_for(".lesson", key=key, lesson=after.key), 303)
    if path.text.quiz:
        return redirect(url_for(".quiz", key=key), 303)
    return redirect(url_for(".course", key=key), 303)


@bp.get("/courses/<key>/quiz")
@requires(Permission.TRAINING_ATTEND)
def quiz(key: str) -> ResponseReturnValue:
    """Show the questions."""
    path = _with_quiz(key)
    return _questions(path, {})


@bp.post("/courses/<key>/quiz")
@requires(Permission.TRAINING_ATTEND)
def take_quiz(key: str) -> ResponseReturnValue:
    """Mark the answers and explain them."""
    path = _with_quiz(key)
    given = {n: request.form.get(f"q{n}", type=int) for n in range(len(path.text.quiz))}
    if request.form.get("asked", mark(path.text.quiz)) != mark(path.text.quiz):
        return _questions(path, {}, changed=True), 409
    missing = [n for n, chosen in given.items() if chosen is None]
    if missing:
        return _questions(path, given, missing), 422
    with transaction():
        path = _with_quiz(key)
        result = courses.take_quiz(path, current_user, list(given.values()))
        certificate = courses.certificate_of(path, current_user)
    if certificate:
        flash(_("You have passed. Your certificate is on the page of the course."))
    return render_template(
        "training/quiz.html",
        path=path,
        marked=courses.mark(path, result.answers),
        result=result,
        passed=courses.has_passed(result),
        certificate=certificate,
    )


@bp.get("/certificates/<code>")
@public
def certificate(code: str) -> ResponseReturnValue:
    """Confirm to anyone who has the code that a certificate is real."""
    return render_template("training/certificate.html", certificate=courses.verify(code))


def _questions(
    path: courses.Path,
    given: dict[int, int | None],
    missing: list[int] | None = None,
    *,
    changed: bool = False,
) -> str:
    asked = mark(path.text.quiz)
    return render_template(
        "training/quiz.html", path=path, marked=None, given=given, missing=missing or [], asked=asked, changed=changed
    )  # fmt: skip


def _with_quiz(key: str) -> courses.Path:
    path = courses.open_course(key, current_user)
    if not path.text.quiz:
        raise NotFound
    return path


def html(text: str) -> Markup:
    return markup.article(text, links=link_of).html
