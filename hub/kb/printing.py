"""PDFs of articles: wanted by a reader, made by the worker, kept until the text changes."""

from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager

from ..core import clock, storage
from ..core.database import db, touched, transaction
from ..core.jobs import ring
from . import paper
from .models import Translation
from .models.exchange import ArticlePdf, PdfState

JOB = "kb.pdf"
LARGEST = 50_000_000

log = structlog.get_logger()


def of(translation: Translation) -> ArticlePdf | None:
    """The PDF of a text as it is now, whether it is made already or not."""
    found = _row(translation)
    return found if found and found.touched == translation.touched else None


def want(translation: Translation) -> ArticlePdf:
    """Have a PDF made of a text, unless there is one of what it says now."""
    found, state_of_text = _row(translation), translation.touched
    if found and found.touched == state_of_text and found.state is not PdfState.FAILED:
        return found
    if found is None:
        found = ArticlePdf(translation_id=translation.id)
        db.session.add(found)
    found.touched, found.state, found.asked_at = state_of_text, PdfState.WANTED, clock.now()
    db.session.flush()
    ring(JOB)
    return found


def work() -> None:
    """Make what is wanted. Made twice by two workers it is the same."""
    while (row := _next()) is not None:
        _make(row)


def _row(translation: Translation) -> ArticlePdf | None:
    return db.session.scalar(select(ArticlePdf).where(ArticlePdf.translation_id == translation.id))


def _next() -> ArticlePdf | None:
    db.session.rollback()
    translation = contains_eager(ArticlePdf.translation)
    statement = (
        select(ArticlePdf)
        .join(ArticlePdf.translation)
        .where(ArticlePdf.state == PdfState.WANTED)
        .options(translation.undefer(Translation.html), translation.undefer(Translation.body))
        .order_by(ArticlePdf.asked_at)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return db.session.scalar(statement)


def _make(row: ArticlePdf) -> None:
    same = ArticlePdf.id == row.id, ArticlePdf.asked_at == row.asked_at
    old, state_of_text = row.key, row.translation.touched
    try:
        stored = storage.store(paper.as_file(row.translation), limit=LARGEST)
    except Exception as error:
        log.warning("no PDF of an article", translation=row.translation_id, error=str(error)[:300])
        _note(same, state=PdfState.FAILED)
        return
    _note(same, state=PdfState.MADE, key=stored.key, touched=state_of_text)
    if old and old != stored.key:
        storage.delete(old)


def _note(same: tuple[Any, ...], **values: Any) -> None:
    """What became of a wish, unless it was uttered again meanwhile."""
    with transaction():
        touched(update(ArticlePdf).where(*same).values(**values))
