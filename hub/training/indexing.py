"""Webinars and lessons as the search index sees them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager

from ..core import fulltext, markup
from ..core.database import db, transaction
from ..core.fulltext import PARTNERS, STAFF, Document, IndexBusy, Source
from ..core.i18n import _l
from .models import Course, CourseText, Lesson, LessonText, Webinar

WEBINAR, LESSON = "webinar", "lesson"
AUDIENCE = frozenset({PARTNERS, STAFF})
_BATCH = 500


def index_stale() -> int:
    """Bring the index up to date with what changed; how many there were.

    What is changed meanwhile stays stale: only the version that was written is marked fresh.
    """
    return _index(Webinar, WEBINAR, _webinar_document) + _index(LessonText, LESSON, _lesson_document)


def _index(model: Any, kind: str, document: Any) -> int:
    done = 0
    while rows := list(
        db.session.scalars(_whole(model).where(model.is_stale).order_by(model.id).limit(_BATCH))
    ):
        by_lang: dict[str, list[Any]] = {}
        for row in rows:
            by_lang.setdefault(_language(row), []).append(row)
        for lang, some in by_lang.items():
            gone = [f"{kind}:{row.id}" for row in some if _is_hidden(row)]
            try:
                fulltext.write(lang, [document(row) for row in some if not _is_hidden(row)], gone)
            except IndexBusy:
                return done
            _fresh(model, some)
            done += len(some)
        db.session.expire_all()
    return done


def _fresh(model: Any, rows: list[Any]) -> None:
    written = [(row.id, row.updated_at) for row in rows]
    with transaction() as session:
        for id, updated_at in written:
            fresh = update(model).where(model.id == id, model.updated_at == updated_at)
            session.execute(fresh.values(is_stale=False))


def _whole(model: Any) -> Any:
    if model is Webinar:
        return select(Webinar)
    return (
        select(LessonText)
        .join(LessonText.lesson)
        .join(Lesson.course)
        .options(contains_eager(LessonText.lesson).contains_eager(Lesson.course))
    )


def _language(row: Any) -> str:
    return row.language if isinstance(row, Webinar) else row.locale


def _is_hidden(row: Any) -> bool:
    return isinstance(row, Webinar) and row.is_cancelled


def _webinar_document(webinar: Webinar) -> Document:
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


def _lesson_document(text: LessonText) -> Document:
    course: Course = text.lesson.course
    rendered = markup.article(text.body)
    return Document(
        kind=LESSON,
        id=text.id,
        lang=text.locale,
        audience=AUDIENCE,
        title=text.title,
        url=f"/training/courses/{course.key}/{text.lesson.key}",
        headings=tuple(heading.title for heading in rendered.headings),
        body=rendered.plain,
        crumbs=tuple(
            db.session.scalars(
                select(CourseText.title).where(
                    CourseText.course_id == course.id, CourseText.locale == text.locale
                )
            )
        ),
        updated_at=text.updated_at.isoformat(),
    )


def _webinars(lang: str) -> Iterator[Document]:
    rows = select(Webinar).where(Webinar.language == lang).order_by(Webinar.id)
    yield from (_webinar_document(row) for row in db.session.scalars(rows) if not row.is_cancelled)


def _lessons(lang: str) -> Iterator[Document]:
    rows = _whole(LessonText).where(LessonText.locale == lang).order_by(LessonText.id)
    yield from map(_lesson_document, db.session.scalars(rows))


fulltext.register(Source(WEBINAR, _l("Webinars"), "video", _webinars))
fulltext.register(Source(LESSON, _l("Lessons"), "school", _lessons))
