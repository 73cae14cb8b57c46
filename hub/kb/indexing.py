"""Articles as the search index sees them."""

from collections.abc import Iterator

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import joinedload, selectinload, undefer

from ..core import fulltext
from ..core.database import db, transaction
from ..core.fulltext import STAFF, Document, IndexBusy, Section, Source
from ..core.i18n import _l
from ..partners.groups import index_token, index_tokens
from .models import Article, Audience, Status, Translation

KIND = "article"
_BATCH = 2500
_WHOLE = (
    joinedload(Translation.article).options(joinedload(Article.category), selectinload(Article.reader_rows)),
    undefer(Translation.plain),
    undefer(Translation.toc),
)


def document(translation: Translation) -> Document:
    """A translation as a document; what is not published is for the team only."""
    article = translation.article
    return Document(
        kind=KIND,
        id=translation.id,
        lang=translation.locale,
        audience=_audience(translation),
        title=translation.title,
        url=translation.path,
        headings=tuple(heading["title"] for heading in translation.toc),
        body=_body(translation),
        sections=tuple(_sections(translation)),
        crumbs=(article.category.name(translation.locale),),
        external_id=article.external_id or article.key,
        updated_at=translation.updated_at.isoformat(),
    )


def index_stale() -> int:
    """Bring the index up to date with every stale translation; how many there were.

    A text saved meanwhile stays stale: only the state that was written is marked fresh.
    """
    done, busy = 0, set[str]()  # languages that somebody else is writing: theirs stay stale
    while rows := _stale(busy):
        by_lang: dict[str, list[Translation]] = {}
        for row in rows:
            by_lang.setdefault(row.locale, []).append(row)
        for lang, some in by_lang.items():
            keep = [document(row) for row in some if row.status is not Status.ARCHIVED]
            gone = [f"{KIND}:{row.id}" for row in some if row.status is Status.ARCHIVED]
            try:
                fulltext.write(lang, keep, gone)
            except IndexBusy:
                busy.add(lang)
                continue
            _fresh(some)
            done += len(some)
    return done


def _audience(translation: Translation) -> frozenset[str]:
    article = translation.article
    if not translation.is_published:
        return frozenset([STAFF])
    if article.audience is Audience.CHOSEN:
        return frozenset([STAFF, *map(index_token, article.readers)])
    return frozenset([str(article.audience)])


def _stale(busy: set[str]) -> list[Translation]:
    db.session.rollback()
    stale = Translation.is_stale, Translation.locale.not_in(busy)
    statement = select(Translation).where(*stale).order_by(Translation.id).limit(_BATCH)
    return list(db.session.scalars(statement.options(*_WHOLE).execution_options(populate_existing=True)))


def _fresh(rows: list[Translation]) -> None:
    """What was changed again since it was read stays stale."""
    written = [{"read_id": row.id, "read": row.touched} for row in rows]
    table = Translation.__table__
    known = update(table).where(table.c.id == bindparam("read_id"), table.c.touched == bindparam("read"))
    with transaction() as session:
        session.connection().execute(known.values(is_stale=False), written)


def _everything(lang: str) -> Iterator[Document]:
    statement = select(Translation).where(Translation.locale == lang, Translation.status != Status.ARCHIVED)
    last = 0
    while True:
        page = statement.where(Translation.id > last).order_by(Translation.id).limit(_BATCH).options(*_WHOLE)
        rows = list(db.session.scalars(page.execution_options(populate_existing=True)))
        if not rows:
            return
        yield from map(document, rows)
        last = rows[-1].id
        db.session.expunge_all()


def _body(translation: Translation) -> str:
    return f"{translation.summary}\n{translation.plain}" if translation.summary else translation.plain


def _sections(translation: Translation) -> Iterator[Section]:
    """Where each heading stands in the plain text: on a line of its own, in order."""
    text, at = "\n" + _body(translation) + "\n", 0
    for heading in translation.toc:
        found = text.find(f"\n{heading['title']}\n", at)
        if found >= 0:
            at = found + 1
            yield Section(heading["id"], heading["title"], found)


_ROWS = select(Translation.id).where(Translation.status != Status.ARCHIVED)
fulltext.register(
    Source(
        KIND,
        _l("Articles"),
        "book-2",
        _everything,
        index_tokens,
        rows=_ROWS,
        is_behind=Translation.is_stale.is_(True),
    )
)
