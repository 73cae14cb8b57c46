"""Courses as the team writes them: one language at a time, lessons in their order, and when partners see them.

Whoever saves says which text they began with; a text that was changed meanwhile is never overwritten unseen.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import audit, clock, markup
from ..core.access import visible_or_404
from ..core.database import db
from ..core.errors import HubError, Invalid, NotFound
from ..core.i18n import LOCALES, Text, _l
from ..core.slugs import slug
from . import indexing
from .models import Course, CourseStatus, CourseText, Lesson, LessonText

#: Fields of a course and of a lesson that are written together.
COURSE, LESSON = ("title", "summary", "minutes", "body"), ("title", "minutes", "body")
#: Names of lessons that belong to other pages of a course.
_RESERVED = {"quiz"}


class ChangedMeanwhile(HubError):
    message = _l(
        "Somebody else has changed this since you opened it. Compare below, then save: what stands in the fields stays."
    )


class NothingToRead(HubError):
    message = _l("A published course needs a lesson in each language it is published in.")


@dataclass(frozen=True)
class Writing:
    """A course in one language, for those who write it."""

    course: Course
    locale: str
    texts: dict[str, CourseText]
    all: list[LessonText]  # in every language, in their order

    @property
    def text(self) -> CourseText | None:
        return self.texts.get(self.locale)

    @property
    def written(self) -> CourseText:
        """The text in this language. Raises NotFound."""
        if self.text is None:
            raise NotFound
        return self.text

    @property
    def model(self) -> CourseText:
        """What a translation is made from: English, or the first there is."""
        return self.texts.get("en") or min(self.texts.values(), key=lambda text: text.id)

    @property
    def lessons(self) -> list[LessonText]:
        return self.lessons_in(self.locale)

    def lessons_in(self, locale: str) -> list[LessonText]:
        return [lesson for lesson in self.all if lesson.locale == locale]

    @property
    def missing(self) -> list[LessonText]:
        """Lessons that only other languages have, each in the language to translate from."""
        here = {lesson.lesson_id for lesson in self.lessons}
        found: dict[int, LessonText] = {}
        for lesson in sorted(self.all, key=lambda each: each.locale != self.model.locale):
            if lesson.lesson_id not in here:
                found.setdefault(lesson.lesson_id, lesson)
        return list(found.values())

    def lesson(self, key: str) -> tuple[LessonText | None, LessonText]:
        """(the lesson in this language, if there; what to translate it from). Raises NotFound."""
        for lesson in self.lessons:
            if lesson.lesson.key == key:
                return lesson, lesson
        for lesson in self.missing:
            if lesson.lesson.key == key:
                return None, lesson
        raise NotFound


def open_writing(key: str, locale: str, user: User, *, lock: bool = False) -> Writing:
    """A course to write in; `lock` keeps other writers of it out until the transaction ends. Raises NotFound."""
    wanted = select(Course).where(Course.key == key)
    course = visible_or_404(wanted.with_for_update(key_share=True) if lock else wanted, user)
    if locale not in LOCALES:
        raise NotFound
    texts = db.session.scalars(select(CourseText).where(CourseText.course_id == course.id))
    lessons = (
        select(LessonText)
        .join(LessonText.lesson)
        .where(Lesson.course_id == course.id)
        .options(joinedload(LessonText.lesson))
        .order_by(LessonText.order, LessonText.lesson_id)
    )
    writing = Writing(
        course, locale, {text.locale: text for text in texts}, list(db.session.scalars(lessons))
    )
    if not writing.texts:
        raise NotFound
    return writing


def said(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """What is written of a course or a lesson; nothing of what is not there yet."""
    return {name: getattr(row, name) for name in names} if row else {}


def mark(value: Any) -> str:
    """A short sign of what somebody has seen: another text has another sign."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


# --- The course ------------------------------------------------------------


def begin(author: User, locale: str, values: dict[str, Any]) -> Course:
    """A new course in its first language, a draft."""
    taken = set(db.session.scalars(select(Course.key)))
    course = Course(key=_key(values["title"], taken, "course"))
    db.session.add(course)
    db.session.flush()
    _add_text(course, locale, values)
    audit.record(author, "course.created", f"course:{course.id}", after={"locale": locale} | _short(values))
    return course


def save(writing: Writing, author: User, values: dict[str, Any], seen: str) -> None:
    """Change a course in its language, or begin it there. Raises ChangedMeanwhile, Invalid."""
    text, before = writing.text, said(writing.text, COURSE)
    _same(before, seen)
    if before == values:
        return
    if text is None:
        _add_text(writing.course, writing.locale, values)
    else:
        _put(text, values)
        indexing.course_changed(text)
    db.session.flush()
    _record(writing, author, "course.changed", before=_short(before), after=_short(values))


def _add_text(course: Course, locale: str, values: dict[str, Any]) -> None:
    _readable(values["body"])
    db.session.add(CourseText(course_id=course.id, locale=locale, status=CourseStatus.DRAFT, **values))
    db.session.flush()


def set_status(writing: Writing, author: User, status: CourseStatus, *, everywhere: bool) -> None:
    """Publish, archive or take back, here or in every language: all of them or none. Raises NothingToRead."""
    texts = [*writing.texts.values()] if everywhere else [writing.written]
    for text in texts:
        if text.status is status:
            continue
        if status is CourseStatus.PUBLISHED and not writing.lessons_in(text.locale):
            raise NothingToRead
        text.status, text.updated_at = status, clock.now()
        indexing.course_changed(text)
        audit.record(author, f"course.{status}", f"course:{writing.course.id}", after={"locale": text.locale})
    db.session.flush()


# --- Its lessons -----------------------------------------------------------


def add_lesson(writing: Writing, author: User, values: dict[str, Any]) -> None:
    """A new lesson at the end, in this language only. Raises Invalid."""
    taken = {lesson.lesson.key for lesson in writing.all} | _RESERVED
    key = _key(values["title"], taken, "lesson")
    same = select(Lesson).where(Lesson.course_id == writing.course.id, Lesson.key == key)
    lesson = db.session.scalar(same) or Lesson(course_id=writing.course.id, key=key)
    db.session.add(lesson)
    db.session.flush()
    last = max((each.order for each in writing.lessons), default=0)
    _add_lesson_text(writing, lesson.id, last + 1, values)
    _record(writing, author, "course.lesson_added", after=_short(values))


def save_lesson(writing: Writing, key: str, author: User, values: dict[str, Any], seen: str) -> None:
    """Change a lesson, or bring it into this language. Raises ChangedMeanwhile, Invalid."""
    lesson, model = writing.lesson(key)
    before = said(lesson, LESSON)
    _same(before, seen)
    if before == values:
        return
    if lesson is None:
        _add_lesson_text(writing, model.lesson_id, model.order, values)
    else:
        _put(lesson, values)
    db.session.flush()
    _record(writing, author, "course.lesson_changed", before=_short(before), after=_short(values))


def move_lesson(writing: Writing, key: str, *, up: bool) -> None:
    """One place earlier or later, in every language that has both lessons in this order."""
    keys = [lesson.lesson.key for lesson in writing.lessons]
    if key not in keys:
        raise NotFound
    at = keys.index(key)
    first, second = (at - 1, at) if up else (at, at + 1)
    if first < 0 or second >= len(keys):
        return
    pair = [writing.lessons[first].lesson_id, writing.lessons[second].lesson_id]
    for locale in writing.texts:
        lessons = writing.lessons_in(locale)
        places = [n for n, lesson in enumerate(lessons) if lesson.lesson_id in pair]
        if [lessons[n].lesson_id for n in places] == pair:
            _swap(lessons, *places)
    db.session.flush()


def _swap(lessons: list[LessonText], first: int, second: int) -> None:
    """Numbers stay as they are, gaps too; only where two lessons share one are all counted anew."""
    orders = [lesson.order for lesson in lessons]
    if len(set(orders)) < len(orders):
        orders = [*range(1, len(lessons) + 1)]
    lessons[first], lessons[second] = lessons[second], lessons[first]
    for lesson, order in zip(lessons, orders, strict=True):
        lesson.order = order


def drop_lesson(writing: Writing, key: str, author: User) -> None:
    """Take a lesson out of this language; who has read it keeps that. Raises NothingToRead."""
    lesson, _model = writing.lesson(key)
    if lesson is None:
        raise NotFound
    if writing.written.is_published and len(writing.lessons) == 1:
        raise NothingToRead
    _record(writing, author, "course.lesson_removed", before=said(lesson, LESSON))
    db.session.delete(lesson)
    db.session.flush()


def _add_lesson_text(writing: Writing, lesson_id: int, order: int, values: dict[str, Any]) -> None:
    _readable(values["body"])
    text = LessonText(lesson_id=lesson_id, locale=writing.written.locale, order=order, **values)
    db.session.add(text)
    db.session.flush()


# --- Its quiz --------------------------------------------------------------


def question(writing: Writing, sign: str) -> dict[str, Any]:
    """The question with this sign. Raises ChangedMeanwhile: it reads otherwise now, or is gone."""
    for each in writing.written.quiz:
        if mark(each) == sign:
            return each
    raise ChangedMeanwhile


def put_question(writing: Writing, author: User, value: dict[str, Any], sign: str | None = None) -> None:
    """Add a question, or change the one with this sign. Raises ChangedMeanwhile."""
    old = question(writing, sign) if sign else None
    quiz = list(writing.written.quiz)
    if old is None:
        quiz.append(value)
    else:
        quiz[quiz.index(old)] = value
    _set_quiz(writing, author, quiz)


def move_question(writing: Writing, author: User, sign: str, *, up: bool) -> None:
    """One place earlier or later. Raises ChangedMeanwhile."""
    quiz = list(writing.written.quiz)
    at = quiz.index(question(writing, sign))
    to = max(0, at - 1) if up else at + 1
    quiz.insert(to, quiz.pop(at))
    _set_quiz(writing, author, quiz)


def drop_question(writing: Writing, author: User, sign: str) -> None:
    """Take a question out; tries that were made keep their result. Raises ChangedMeanwhile."""
    old = question(writing, sign)
    _set_quiz(writing, author, [each for each in writing.written.quiz if each is not old])


def _set_quiz(writing: Writing, author: User, quiz: list[dict[str, Any]]) -> None:
    text = writing.written
    if quiz == text.quiz:
        return
    before, text.quiz, text.updated_at = text.quiz, quiz, clock.now()
    db.session.flush()
    _record(writing, author, "course.quiz_changed", before=before, after=quiz)


# --- Shared ----------------------------------------------------------------


def _same(before: dict[str, Any], seen: str) -> None:
    if seen != mark(before):
        raise ChangedMeanwhile


def _put(row: Any, values: dict[str, Any]) -> None:
    _readable(values["body"])
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_at = clock.now()


def _readable(body: str) -> None:
    """Raises Invalid beside the field when the text cannot become a page."""
    try:
        markup.article(body)
    except Invalid as error:
        reason: Text = error.message
        raise Invalid(body=[reason]) from error


def _key(title: str, taken: set[str], fallback: str) -> str:
    """A name for a file and an address that none of `taken` has."""
    plain = re.sub(r"[^a-z0-9-]", "", slug(title, longest=60)).strip("-") or fallback
    key, number = plain, 1
    while key in taken:
        number += 1
        key = f"{plain}-{number}"
    return key


def _short(values: dict[str, Any]) -> dict[str, Any]:
    """What the trail keeps of a text: a long one by its first words."""
    return {name: each[:200] if isinstance(each, str) else each for name, each in values.items()}


def _record(writing: Writing, author: User, action: str, *, before: Any = None, after: Any = None) -> None:
    where = f"course:{writing.course.id}/{writing.locale}"
    audit.record(author, action, where, before=before or None, after=after)


def title_of(writing: Writing) -> str:
    """The course's name in this language, or in the one it would be translated from."""
    return (writing.text or writing.model).title
