"""Courses from a folder: `<lang>/<course>/course.md`, numbered lessons, `quiz.yaml`. The folder is the truth.

All of a folder or nothing: one wrong file changes no course. Doing it again with the same files changes
nothing. Progress stays with a lesson's name, whatever its number and its language.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import frontmatter
import yaml
from sqlalchemy import delete, select

from ..core import clock
from ..core.database import db, touched
from ..core.errors import HubError
from ..core.i18n import LOCALES
from ..kb.content import also_sync
from .models import Course, CourseText, Lesson, LessonText

_LESSON = re.compile(r"(\d+)-([a-z0-9][a-z0-9-]*)\.md")


class BrokenContent(HubError):
    """A file of the content that cannot be read as what it should be; the message names it."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


@dataclass
class Found:
    """A lesson as its file has it."""

    key: str
    order: int
    title: str
    minutes: int
    body: str


@dataclass
class FoundCourse:
    """A course in one language as its folder has it."""

    key: str
    locale: str
    title: str
    summary: str
    minutes: int
    body: str
    lessons: list[Found] = field(default_factory=list)
    quiz: list[dict[str, Any]] = field(default_factory=list)


def sync(folder: Path) -> dict[str, int]:
    """Bring courses and lessons to what `folder` (…/content/training) holds; {"courses", "changed"}.

    Raises BrokenContent before anything is written. Needs an open transaction.
    """
    found = [read(path.parent, path.parts[-3]) for path in sorted(folder.glob("*/*/course.md"))]
    changed = sum(_store(each) for each in found)
    return {"courses": len({each.key for each in found}), "changed": changed}


@also_sync
def _part(folder: Path) -> str:
    """What `hub content sync` brings in besides articles."""
    report = sync(folder / "training")
    return f"{report['courses']} courses, {report['changed']} of their languages changed"


# --- Reading ---------------------------------------------------------------


def read(folder: Path, locale: str) -> FoundCourse:
    """One course in one language."""
    if locale not in LOCALES:
        raise BrokenContent(folder, f"“{locale}” is not a language of the hub ({', '.join(LOCALES)})")
    head, body = _matter(folder / "course.md", {"title": str, "summary": str, "minutes": int})
    lessons = [_lesson(path) for path in sorted(folder.glob("*.md")) if path.name != "course.md"]
    if not lessons:
        raise BrokenContent(folder, "a course needs lessons: 01-name.md")
    quiz = folder / "quiz.yaml"
    return FoundCourse(
        folder.name, locale, head["title"], head["summary"], head["minutes"], body,
        lessons, _quiz(quiz) if quiz.exists() else [],
    )  # fmt: skip


def _lesson(path: Path) -> Found:
    name = _LESSON.fullmatch(path.name)
    if not name:
        raise BrokenContent(path, "a lesson is called 01-name.md")
    head, body = _matter(path, {"title": str, "minutes": int})
    return Found(name[2], int(name[1]), head["title"], head["minutes"], body)


def _matter(path: Path, wanted: dict[str, type]) -> tuple[dict[str, Any], str]:
    try:
        post = frontmatter.loads(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BrokenContent(path, str(error)) from error
    for name, kind in wanted.items():
        if name not in post.metadata:
            raise BrokenContent(path, f"the front matter lacks “{name}”")
        if not isinstance(post.metadata[name], kind):
            raise BrokenContent(path, f"“{name}” should be {'a number' if kind is int else 'text'}")
    return post.metadata, post.content


def _quiz(path: Path) -> list[dict[str, Any]]:
    try:
        questions = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BrokenContent(path, str(error)) from error
    if not isinstance(questions, list):
        raise BrokenContent(path, "a quiz is a list of questions")
    for number, question in enumerate(questions, 1):
        if problem := _wrong(question):
            raise BrokenContent(path, f"question {number}: {problem}")
    return [{name: each[name] for name in ("text", "options", "answer", "why")} for each in questions]


def _wrong(question: Any) -> str | None:
    if not isinstance(question, dict) or not {"text", "options", "answer", "why"} <= question.keys():
        return "it needs text, options, answer and why"
    options, answer = question["options"], question["answer"]
    if (
        not isinstance(options, list)
        or len(options) < 2
        or not all(isinstance(each, str) for each in options)
    ):
        return "“options” should be a list of two texts or more (put those with a colon in quotes)"
    if not isinstance(answer, int) or not 0 <= answer < len(options):
        return "“answer” should be the place of the right option, counted from 0"
    return None


# --- Storing ---------------------------------------------------------------


def _store(found: FoundCourse) -> bool:
    course = db.session.scalar(select(Course).where(Course.key == found.key)) or Course(key=found.key)
    db.session.add(course)
    db.session.flush()
    text = db.session.scalar(
        select(CourseText).where(CourseText.course_id == course.id, CourseText.locale == found.locale)
    ) or CourseText(course_id=course.id, locale=found.locale)
    changed = _update(
        text,
        title=found.title,
        summary=found.summary,
        minutes=found.minutes,
        body=found.body,
        quiz=found.quiz,
    )
    lessons = {
        lesson.key: lesson
        for lesson in db.session.scalars(select(Lesson).where(Lesson.course_id == course.id))
    }
    for each in found.lessons:
        changed |= _store_lesson(course, lessons.get(each.key), found.locale, each)
    return changed | _drop(course, found)


def _store_lesson(course: Course, lesson: Lesson | None, locale: str, found: Found) -> bool:
    if lesson is None:
        lesson = Lesson(course_id=course.id, key=found.key)
        db.session.add(lesson)
        db.session.flush()
    text = db.session.scalar(
        select(LessonText).where(LessonText.lesson_id == lesson.id, LessonText.locale == locale)
    ) or LessonText(lesson_id=lesson.id, locale=locale)
    return _update(text, order=found.order, title=found.title, minutes=found.minutes, body=found.body)


def _update(row: Any, **values: Any) -> bool:
    """Set what differs; says whether anything did."""
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    if different and hasattr(row, "updated_at"):
        row.updated_at = clock.now()
    if different and isinstance(row, LessonText):
        row.is_stale = True
    db.session.add(row)
    db.session.flush()
    return bool(different)


def _drop(course: Course, found: FoundCourse) -> bool:
    """Take lessons out that the folder no longer has; who finished them keeps that."""
    kept = [lesson.key for lesson in found.lessons]
    gone = (
        select(LessonText.id)
        .join(Lesson, Lesson.id == LessonText.lesson_id)
        .where(Lesson.course_id == course.id, LessonText.locale == found.locale, Lesson.key.not_in(kept))
    )
    removed = delete(LessonText).where(LessonText.id.in_(gone.scalar_subquery()))
    return bool(touched(removed.execution_options(synchronize_session=False)))
