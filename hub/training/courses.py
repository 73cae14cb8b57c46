"""Learning: which lessons there are for a person, how far they are, the quiz and the certificate."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import clock
from ..core.access import visible, visible_or_404
from ..core.database import db
from ..core.errors import NotFound
from ..core.i18n import locale as spoken
from .models import (
    Certificate,
    Course,
    CourseStatus,
    CourseText,
    Lesson,
    LessonText,
    Progress,
    QuizResult,
)

#: Share of right answers that passes, in per cent.
PASS = 80
#: Tried in this order when a course is not in the reader's language.
FALLBACK = "en"


@dataclass(frozen=True)
class Shelved:
    """A course as one person sees it in the list."""

    key: str
    text: CourseText
    lessons: int
    done: int
    certificate: str | None  # its code


@dataclass(frozen=True)
class Step:
    """A lesson in the reader's language, and whether it is finished."""

    key: str
    text: LessonText
    is_done: bool


@dataclass(frozen=True)
class Path:
    """A course with its lessons for one person."""

    course: Course
    text: CourseText
    steps: list[Step]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def next_step(self) -> Step | None:
        """The first lesson not finished."""
        return next((step for step in self.steps if not step.is_done), None)

    def around(self, key: str) -> tuple[Step | None, Step, Step | None]:
        """The lesson with this key between its neighbours. Raises NotFound."""
        at = next((n for n, step in enumerate(self.steps) if step.key == key), None)
        if at is None:
            raise NotFound
        before = self.steps[at - 1] if at else None
        after = self.steps[at + 1] if at + 1 < len(self.steps) else None
        return before, self.steps[at], after


def shelf(user: User) -> list[Shelved]:
    """All courses, each in the reader's language or else in English, with what is done."""
    texts = _best(db.session.scalars(_published(user).options(joinedload(CourseText.course))))
    counted = (
        select(Lesson.course_id, LessonText.locale, func.count(), func.count(Progress.lesson_id))
        .join(LessonText, LessonText.lesson_id == Lesson.id)
        .outerjoin(Progress, (Progress.lesson_id == Lesson.id) & (Progress.user_id == user.id))
        .group_by(Lesson.course_id, LessonText.locale)
    )
    counts = {(id, locale): (all, done) for id, locale, all, done in db.session.execute(counted)}
    codes = _pairs(select(Certificate.course_id, Certificate.code).where(Certificate.user_id == user.id))
    shelved = [
        Shelved(text.course.key, text, *counts.get((id, text.locale), (0, 0)), codes.get(id))
        for id, text in texts.items()
    ]
    return sorted(shelved, key=lambda each: each.text.title)


def earned_before(user: User) -> list[Certificate]:
    """Certificates of courses that are not on the shelf any more."""
    mine = select(Certificate).where(Certificate.user_id == user.id)
    gone = Certificate.course_id.not_in(_published(user).with_only_columns(CourseText.course_id))
    return list(db.session.scalars(mine.where(gone).order_by(Certificate.issued_at, Certificate.id)))


def _published(user: User) -> Any:
    """What is there to learn: the team reads its drafts elsewhere."""
    return visible(select(CourseText), user).where(CourseText.status == CourseStatus.PUBLISHED)


def _pairs(statement: Any) -> dict[int, Any]:
    return {key: value for key, value in db.session.execute(statement)}  # noqa: C416 – rows are no pairs to mypy


def _best(texts: Any) -> dict[int, CourseText]:
    """Of each course the text in the language spoken, else in English, else any."""
    found: dict[int, CourseText] = {}
    for text in texts:
        kept = found.get(text.course_id)
        if kept is None or _rank(text.locale) < _rank(kept.locale):
            found[text.course_id] = text
    return found


def _rank(locale: str) -> tuple[int, str]:
    return (0 if locale == spoken() else 1 if locale == FALLBACK else 2), locale


def open_course(key: str, user: User) -> Path:
    """A course with its lessons in one language. Raises NotFound."""
    course = visible_or_404(select(Course).where(Course.key == key), user)
    texts = _best(db.session.scalars(_published(user).where(CourseText.course_id == course.id)))
    if course.id not in texts:
        raise NotFound
    text = texts[course.id]
    done = set(
        db.session.scalars(
            select(Progress.lesson_id)
            .join(Lesson, Lesson.id == Progress.lesson_id)
            .where(Progress.user_id == user.id, Lesson.course_id == course.id)
        )
    )
    rows = db.session.execute(
        select(Lesson.key, LessonText)
        .join(LessonText, LessonText.lesson_id == Lesson.id)
        .where(Lesson.course_id == course.id, LessonText.locale == text.locale)
        .order_by(LessonText.order, Lesson.id)
    )
    return Path(course, text, [Step(key, lesson, lesson.lesson_id in done) for key, lesson in rows])


def finish(step: Step, user: User) -> None:
    """Note that `user` has read a lesson; a second time changes nothing."""
    key = (user.id, step.text.lesson_id)
    # Two presses at once queue for the person's row, so that the second sees the first.
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    if db.session.get(Progress, key) is None:
        db.session.add(Progress(user_id=user.id, lesson_id=step.text.lesson_id))
        db.session.flush()


@dataclass(frozen=True)
class Marked:
    """A quiz question with what was chosen (None: nothing) and what is right."""

    question: dict[str, Any]
    chosen: int | None

    @property
    def is_right(self) -> bool:
        return self.chosen == self.question["answer"]


def mark(path: Path, answers: list[int | None]) -> list[Marked]:
    """Each question of the quiz beside its answer."""
    given = [*answers, *[None] * len(path.text.quiz)]
    return [Marked(question, given[n]) for n, question in enumerate(path.text.quiz)]


def take_quiz(path: Path, user: User, answers: list[int | None]) -> QuizResult:
    """Store a try; one that passes, with all lessons read, earns the certificate."""
    marked = mark(path, answers)
    result = QuizResult(
        user_id=user.id,
        course_id=path.course.id,
        locale=path.text.locale,
        answers=[each.chosen for each in marked],
        score=sum(each.is_right for each in marked),
        total=len(marked),
        at=clock.now(),
    )
    db.session.add(result)
    db.session.flush()
    certify(path, user)
    return result


def has_passed(result: QuizResult | None) -> bool:
    return result is not None and result.total > 0 and result.score * 100 >= result.total * PASS


def best_result(path: Path, user: User) -> QuizResult | None:
    """The best of one's tries, by share of right answers."""
    tries = select(QuizResult).where(QuizResult.user_id == user.id, QuizResult.course_id == path.course.id)
    return db.session.scalar(
        tries.order_by((QuizResult.score * 1.0 / QuizResult.total).desc(), QuizResult.id).limit(1)
    )


def certify(path: Path, user: User) -> Certificate | None:
    """The certificate, once every lesson is read and the quiz passed; issued once and kept."""
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    certificate = certificate_of(path, user)
    if certificate or path.next_step or not has_passed(best_result(path, user)):
        return certificate
    certificate = Certificate(
        user_id=user.id,
        course_id=path.course.id,
        name=user.name,
        course_title=path.text.title,
        locale=path.text.locale,
        issued_at=clock.now(),
    )
    db.session.add(certificate)
    db.session.flush()
    return certificate


def certificate_of(path: Path, user: User) -> Certificate | None:
    return db.session.scalar(
        select(Certificate).where(Certificate.user_id == user.id, Certificate.course_id == path.course.id)
    )


def verify(code: str) -> Certificate:
    """The certificate with this code, however it was typed. Raises NotFound."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    dashed = "-".join(letters[at : at + 4] for at in (0, 4, 8))
    certificate = db.session.scalar(select(Certificate).where(Certificate.code == dashed))
    if certificate is None:
        raise NotFound
    return certificate
