"""Webinars and lessons as the search index sees them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update

from ..core import fulltext, markup
from ..core.database import db, transaction
from ..core.fulltext import PARTNERS, STAFF, Document, IndexBusy, Source
from ..core.i18n import _l
from .models import Course, CourseStatus, CourseText, Lesson, LessonText, Webinar, WebinarStatus

WEBINAR, LESSON = "webinar", "lesson"
AUDIENCE = frozenset({PARTNERS, STAFF})
_SAME_COURSE = and_(CourseText.course_id == Lesson.course_id, CourseText.locale == LessonText.locale)
_BATCH = 500


def index_stale() -> int:
    """Bring the index up to date with the webinars that changed; how many there were.

    What is changed meanwhile stays stale: only the version that was written is marked fresh.
    """
    done, busy = 0, set[str]()  # languages that somebody else is writing: theirs stay stale
    stale = select(Webinar).where(Webinar.is_stale).order_by(Webinar.id).limit(_BATCH)
    while rows := list(db.session.scalars(stale.where(Webinar.language.not_in(busy)))):
        by_lang: dict[str, list[Webinar]] = {}
        for row in rows:
            by_lang.setdefault(row.language, []).append(row)
        for lang, some in by_lang.items():
            gone = [f"{WEBINAR}:{row.id}" for row in some if row.is_cancelled]
            try:
                fulltext.write(lang, [_document(row) for row in some if not row.is_cancelled], gone)
            except IndexBusy:
                busy.add(lang)
                continue
            _fresh(some)
            done += len(some)
        db.session.expire_all()
    return done


def _fresh(rows: list[Webinar]) -> None:
    written = [(row.id, row.updated_at) for row in rows]
    with transaction() as session:
        for id, updated_at in written:
            fresh = update(Webinar).where(Webinar.id == id, Webinar.updated_at == updated_at)
            session.execute(fresh.values(is_stale=False))


def _document(webinar: Webinar) -> Document:
    return Document(
        kind=WEBINAR,
        id=webinar.id,
        lang=webinar.language,
        audience=AUDIENCE,
        title=webinar.title,
        url=f"/training/webinars/{webinar.id}",
        body=f"{markup.article(webinar.description).plain}\n{webinar.host}",
        updated_at=webinar.updated_at.isoformat(),
    )


def _webinars(lang: str) -> Iterator[Document]:
    rows = select(Webinar).where(Webinar.language == lang).order_by(Webinar.id)
    yield from (_document(row) for row in db.session.scalars(rows) if not row.is_cancelled)


# --- Lessons ---------------------------------------------------------------


def course_changed(text: CourseText) -> None:
    """Its lessons are found, or no longer, and under its title."""
    mine = select(LessonText.id).join(LessonText.lesson)
    mine = mine.where(Lesson.course_id == text.course_id, LessonText.locale == text.locale)
    fulltext.note(LESSON, db.session.scalars(mine))


def _lessons(lang: str) -> Iterator[Document]:
    return _published(LessonText.locale == lang)


def _some(ids: list[int]) -> Iterator[Document]:
    return _published(LessonText.id.in_(ids))


def _published(condition: ColumnElement[bool]) -> Iterator[Document]:
    rows: Any = (
        select(LessonText, Lesson.key, Course.key, CourseText.title)
        .join(Lesson, Lesson.id == LessonText.lesson_id)
        .join(Course, Course.id == Lesson.course_id)
        .join(CourseText, _SAME_COURSE)
        .where(condition, CourseText.status == CourseStatus.PUBLISHED)
        .order_by(LessonText.id)
    )
    for text, key, course, title in db.session.execute(rows.execution_options(populate_existing=True)):
        rendered = markup.article(text.body)
        yield Document(
            kind=LESSON,
            id=text.id,
            lang=text.locale,
            audience=AUDIENCE,
            title=text.title,
            url=f"/training/courses/{course}/{key}",
            headings=tuple(heading.title for heading in rendered.headings),
            body=rendered.plain,
            crumbs=(title,),
            updated_at=text.updated_at.isoformat(),
        )


_HELD = select(Webinar.id).where(Webinar.status != WebinarStatus.CANCELLED)
_TAUGHT = (
    select(LessonText.id)
    .join(Lesson, Lesson.id == LessonText.lesson_id)
    .join(CourseText, _SAME_COURSE)
    .where(CourseText.status == CourseStatus.PUBLISHED)
)
fulltext.register(
    Source(WEBINAR, _l("Webinars"), "video", _webinars, rows=_HELD, is_behind=Webinar.is_stale.is_(True))
)
fulltext.register(Source(LESSON, _l("Lessons"), "school", _lessons, some=_some, rows=_TAUGHT))
fulltext.follow(LessonText, LESSON)
