"""Webinars and who comes; courses in several languages and how far everyone is."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, ForeignKey, Index, Select, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db


class WebinarStatus(StrEnum):
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    DONE = "done"


class RegistrationStatus(StrEnum):
    REGISTERED = "registered"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"
    ATTENDED = "attended"


#: Those who hold a seat.
SEATED = (RegistrationStatus.REGISTERED, RegistrationStatus.ATTENDED)


class Webinar(db.Model):
    """A live talk in one language, at a moment that was chosen on the clock of `zone`."""

    __table_args__ = (
        Index("ix_webinar_status_starts_at", "status", "starts_at"),
        Index("ix_webinar_status_ends_at", "status", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True, default=lambda: uuid4().hex)  # in calendars, for ever
    sequence: Mapped[int] = mapped_column(default=0)  # raised when calendars must follow (RFC 5545, 3.8.7.4)
    title: Mapped[str]
    description: Mapped[str]  # Markdown
    language: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    zone: Mapped[str]  # IANA
    host: Mapped[str]
    host_about: Mapped[str] = mapped_column(default="")
    capacity: Mapped[int]
    join_url: Mapped[str] = mapped_column(default="")  # for those with a seat only
    recording_url: Mapped[str] = mapped_column(default="")
    links: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)  # materials: {title, url}
    status: Mapped[WebinarStatus] = mapped_column(default=WebinarStatus.SCHEDULED)
    recording_told_at: Mapped[datetime | None]
    is_stale: Mapped[bool] = mapped_column(default=True, index=True)  # the search index is behind
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    registrations: Mapped[list["Registration"]] = relationship(back_populates="webinar")

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at) / timedelta(minutes=1))

    @property
    def is_cancelled(self) -> bool:
        return self.status is WebinarStatus.CANCELLED

    @property
    def is_over(self) -> bool:
        return self.ends_at <= clock.now()

    @property
    def is_open(self) -> bool:
        """Can one still register?"""
        return self.status is WebinarStatus.SCHEDULED and not self.is_over

    @property
    def is_live(self) -> bool:
        return self.is_open and self.starts_at <= clock.now()


class Registration(db.Model):
    """A person's place at a webinar, kept when it is given up."""

    __table_args__ = (
        UniqueConstraint("webinar_id", "user_id"),
        Index("ix_registration_webinar_id_status", "webinar_id", "status", "since"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webinar_id: Mapped[int] = mapped_column(ForeignKey("webinar.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    status: Mapped[RegistrationStatus]
    since: Mapped[datetime] = mapped_column(default=clock.now)  # decides who is first on the waiting list
    day_reminder_at: Mapped[datetime | None]  # when it was given, or was no longer needed
    hour_reminder_at: Mapped[datetime | None]

    webinar: Mapped[Webinar] = relationship(back_populates="registrations")
    user: Mapped[User] = relationship()

    @property
    def is_seated(self) -> bool:
        return self.status in SEATED

    @property
    def is_waiting(self) -> bool:
        return self.status is RegistrationStatus.WAITLISTED


class WebinarQuestion(db.Model):
    """Asked before or during a webinar; the most wanted is answered first."""

    __table_args__ = (Index("ix_webinar_question_webinar_id", "webinar_id", "votes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    webinar_id: Mapped[int] = mapped_column(ForeignKey("webinar.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    text: Mapped[str]
    answer: Mapped[str | None]
    votes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    webinar: Mapped[Webinar] = relationship()
    user: Mapped[User] = relationship()


class WebinarVote(db.Model):
    """One person wants one question answered."""

    question_id: Mapped[int] = mapped_column(ForeignKey("webinar_question.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)


# --- Courses ---------------------------------------------------------------


class CourseStatus(StrEnum):
    """Of a course in one language: a translation is finished before anyone reads it."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Course(db.Model):
    """A course under one key; its texts differ by language, progress does not."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # its folder, and its address

    texts: Mapped[list["CourseText"]] = relationship(back_populates="course")
    lessons: Mapped[list["Lesson"]] = relationship(back_populates="course")


class CourseText(db.Model):
    """A course in one language, with its quiz: a list of {text, options, answer, why}."""

    __table_args__ = (UniqueConstraint("course_id", "locale"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    locale: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str]
    body: Mapped[str]  # Markdown
    minutes: Mapped[int]
    quiz: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    status: Mapped[CourseStatus] = mapped_column(default=CourseStatus.PUBLISHED, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    course: Mapped[Course] = relationship(back_populates="texts")

    @property
    def is_published(self) -> bool:
        return self.status is CourseStatus.PUBLISHED


class Lesson(db.Model):
    """A lesson of a course, whatever its language."""

    __table_args__ = (UniqueConstraint("course_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    key: Mapped[str]  # "your-link"

    course: Mapped[Course] = relationship(back_populates="lessons")


class LessonText(db.Model):
    """A lesson in one language."""

    __table_args__ = (UniqueConstraint("lesson_id", "locale"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"))
    locale: Mapped[str]
    order: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]  # Markdown
    minutes: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    lesson: Mapped[Lesson] = relationship()


class Progress(db.Model):
    """A person has finished a lesson."""

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"), primary_key=True, index=True)
    done_at: Mapped[datetime] = mapped_column(default=clock.now)


class QuizResult(db.Model):
    """One try at a course's quiz: the chosen options, and how many were right."""

    __table_args__ = (Index("ix_quiz_result_user_id_course_id", "user_id", "course_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    locale: Mapped[str]
    answers: Mapped[list[int | None]] = mapped_column(JSON)
    score: Mapped[int]
    total: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=clock.now)


#: Letters and digits that nobody confuses when reading a code aloud.
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_code() -> str:
    """A verification code such as “7KQ4-M2XA-PB9T”: 59 bits, so that none can be guessed."""
    letters = [secrets.choice(_CODE_LETTERS) for _n in range(12)]
    return "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))


class Certificate(db.Model):
    """Proof for anyone who has the code: whose, of which course, since when. The name is as it was then."""

    __table_args__ = (UniqueConstraint("user_id", "course_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True, default=new_code)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    name: Mapped[str]
    course_title: Mapped[str]
    locale: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)


@visibility(Webinar)
@visibility(WebinarQuestion)
@visibility(Course)
@visibility(Lesson)
@visibility(LessonText)
def _for_learners(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.TRAINING_ATTEND) else statement.where(false())


@visibility(CourseText)
def _course_texts(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.TRAINING_MANAGE):
        return statement
    return _for_learners(statement, user).where(CourseText.status == CourseStatus.PUBLISHED)


@visibility(Registration)
def _registrations(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.TRAINING_MANAGE):
        return statement
    return (
        statement.where(Registration.user_id == user.id)
        if user.is_authenticated
        else statement.where(false())
    )
