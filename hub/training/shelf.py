"""Courses in the database, piece by piece: what a piece says, put one in, take one out."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ..core import clock
from ..core.database import db
from . import indexing
from .models import Course, CourseStatus, CourseText, Lesson, LessonText

PREFIX = "training/"
COURSE, LESSON, QUIZ = "course", "lesson", "quiz"


@dataclass(frozen=True)
class Name:
    """What a file of a course is about, whatever its number."""

    locale: str
    course: str
    kind: str
    lesson: str = ""

    def __str__(self) -> str:
        return PREFIX + "/".join((self.locale, self.course, self.kind, self.lesson)).rstrip("/")

    @classmethod
    def of(cls, name: str) -> "Name":
        return cls(*name.removeprefix(PREFIX).split("/"))


def held() -> dict[Name, Any]:
    """What the hub says of every course, lesson and quiz."""
    found: dict[Name, Any] = {}
    courses = select(Course.key, CourseText).join(Course, Course.id == CourseText.course_id)
    for key, text in db.session.execute(courses.order_by(CourseText.locale, Course.key)):
        found[Name(text.locale, key, COURSE)] = {
            "title": text.title, "summary": text.summary, "minutes": text.minutes,
            "status": text.status.value, "body": _trim(text.body),
        }  # fmt: skip
        if text.quiz:
            found[Name(text.locale, key, QUIZ)] = text.quiz
    lessons = select(Course.key, Lesson.key, LessonText)
    lessons = lessons.join(Lesson, Lesson.id == LessonText.lesson_id).join(
        Course, Course.id == Lesson.course_id
    )
    for key, lesson, each in db.session.execute(lessons.order_by(LessonText.locale, LessonText.order)):
        found[Name(each.locale, key, LESSON, lesson)] = {
            "order": each.order, "title": each.title, "minutes": each.minutes, "body": _trim(each.body),
        }  # fmt: skip
    return found


def _trim(body: str) -> str:
    """A text as a file has it: without empty lines around it."""
    return body.replace("\r\n", "\n").strip()


def put(name: Name, value: Any) -> None:
    """Let the hub say this of a course, a lesson or a quiz."""
    course = db.session.scalar(select(Course).where(Course.key == name.course)) or Course(key=name.course)
    db.session.add(course)
    db.session.flush()
    text: Any = _lesson_text(course, name) if name.kind == LESSON else _course_text(course, name)
    for key, each in ({"quiz": value} if name.kind == QUIZ else value).items():
        setattr(text, key, CourseStatus(each) if key == "status" else each)
    text.updated_at = clock.now()
    db.session.add(text)
    db.session.flush()
    if name.kind == COURSE:
        indexing.course_changed(text)


def _course_text(course: Course, name: Name) -> CourseText:
    one = select(CourseText).where(CourseText.course_id == course.id, CourseText.locale == name.locale)
    return db.session.scalar(one) or CourseText(course_id=course.id, locale=name.locale)


def _lesson_text(course: Course, name: Name) -> LessonText:
    lesson = db.session.scalar(
        select(Lesson).where(Lesson.course_id == course.id, Lesson.key == name.lesson)
    ) or Lesson(course_id=course.id, key=name.lesson)
    db.session.add(lesson)
    db.session.flush()
    one = select(LessonText).where(LessonText.lesson_id == lesson.id, LessonText.locale == name.locale)
    return db.session.scalar(one) or LessonText(lesson_id=lesson.id, locale=name.locale)


def drop(name: Name) -> None:
    """Take a lesson or a quiz out; who finished the lesson keeps that."""
    if name.kind == QUIZ:
        put(name, [])
        return
    gone = (
        select(LessonText)
        .join(Lesson, Lesson.id == LessonText.lesson_id)
        .join(Course, Course.id == Lesson.course_id)
        .where(Course.key == name.course, Lesson.key == name.lesson, LessonText.locale == name.locale)
    )
    for text in db.session.scalars(gone):
        db.session.delete(text)
    db.session.flush()
