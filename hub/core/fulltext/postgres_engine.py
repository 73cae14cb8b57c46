"""PostgreSQL full text: the same words, in a table beside the data they describe.

GIN finds the documents. One `ts_rank` per word of the question picks the likely ones among them, and one per
word and field tells where and how often it stands in each of those: of that `postgres_score` makes the same
score that the other engine counts.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    DDL,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    event,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from ..database import Base, db
from . import vocabulary
from .documents import Document, Found, Narrowing
from .engine import FORM, Analysed, IndexBusy, IndexMissing, Progress, analysed, in_batches
from .postgres_find import finding, holding
from .postgres_score import quoted
from .question import Question
from .scoring import B
from .vocabulary import TERM, Entry, KnownWords

_Texts = Text().with_variant(ARRAY(Text), "postgresql")
_Words = Text().with_variant(TSVECTOR(), "postgresql")

documents = Table(
    "search_document",
    Base.metadata,
    Column("lang", String(2), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("shelf", String(200), nullable=False, server_default=""),
    Column("audience", _Texts, nullable=False),
    Column("codes", _Texts, nullable=False),
    Column("words", _Words, nullable=False),
    Column("title_length", Integer, nullable=False),
    Column("headings_length", Integer, nullable=False),
    Column("body_length", Integer, nullable=False),
    Column("surface_length", Integer, nullable=False, server_default="1"),
    Index(None, "words", postgresql_using="gin"),
    Index(None, "codes", postgresql_using="gin"),
)
# What is shown of a document stands apart from what it is found by, so that looking through many stays quick.
shown = Table(
    "search_shown",
    Base.metadata,
    Column("lang", String(2), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("document", Text, nullable=False),
)
# Words stay in their row, as they are: fetching and unpacking them takes longer than looking at them.
_WHOLE_ROWS = "ALTER TABLE search_document SET (toast_tuple_target = 8160)"
event.listen(documents, "after_create", DDL(_WHOLE_ROWS).execute_if(dialect="postgresql"))

_table = documents

_LAST_POSITION = 16_383
_MOST_POSITIONS = 255

# A "word" of nobody's that says this language has been built.
_BUILT = TERM + TERM + "built-"
_NOBODY = "-"
_STATISTICS_SECONDS = 60
_FEW = 100
_SLOW_TO_SETTLE = ("ix_search_document_words", "ix_search_document_codes")


class PostgresEngine:
    """The engine of a hub whose database is PostgreSQL."""

    form = FORM

    def __init__(self) -> None:
        self._averages: dict[str, tuple[float, dict[str, float]]] = {}

    @contextmanager
    def words(self, lang: str, audience: Set[str]) -> Iterator[KnownWords]:
        yield _Known(_reading(), lang, audience, self._built)

    def find(
        self, question: Question, audience: Set[str], only: Narrowing, limit: int, offset: int = 0
    ) -> Found:
        if not question.words and not question.codes:
            return Found()
        connection = _reading()
        average = self._average(connection, question.lang)
        found_by, values = finding(question, average, audience, only, (limit, offset))
        rows = _execute(connection, found_by, values)
        counts = {what: {row.value: int(row.score) for row in rows if row.what == what} for what in _COUNTED}
        hits = [Document.from_json(json.loads(row.value)) for row in rows if row.what == "hit"]
        return Found(hits, counts["kind"], counts["shelf"])

    def ids(self, question: Question, audience: Set[str], kind: str) -> list[int]:
        if not question.words and not question.codes:
            return []
        (found,) = _execute(_reading(), *holding(question, audience, kind))
        return found.ids or []

    def write(self, lang: str, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        with self._writing(lang) as connection:
            _Known(connection, lang, (), self._built).documents([TERM])
            _remove(connection, lang, list(gone))
            many = 0
            for batch in in_batches(documents):
                _remove(connection, lang, [document.key for document in batch])
                vocabulary.put(connection, lang, _add(connection, lang, batch))
                many += len(batch)
            _settle(connection, many)

    def rebuild(self, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        with self._writing(lang) as connection:
            for table in (_table, shown):
                connection.execute(delete(table).where(table.c.lang == lang))
            vocabulary.forget(connection, lang)
            done = 0

            def added() -> Iterator[dict[str, Entry]]:
                nonlocal done
                yield {self._built: Entry(frozenset([_NOBODY]), {self._built})}
                for batch in in_batches(documents):
                    yield _add(connection, lang, batch)
                    done += len(batch)
                    progress(done)

            vocabulary.fill(connection, lang, added())
            _settle(connection, done)
        self._averages.pop(lang, None)

    @contextmanager
    def _writing(self, lang: str) -> Iterator[Connection]:
        """One writer per language; readers see all of it after the commit."""
        with db.engine.begin() as connection:
            mine = text("SELECT pg_try_advisory_xact_lock(hashtext('hub.fulltext.' || :lang))")
            if not connection.scalar(mine, {"lang": lang}):
                raise IndexBusy(lang)
            yield connection

    @property
    def _built(self) -> str:
        return f"{_BUILT}{self.form}"

    def _average(self, connection: Connection, lang: str) -> dict[str, float]:
        """The mean length of each field, as it was within the last minute."""
        at, known = self._averages.get(lang, (0.0, {}))
        if not known or time.monotonic() - at > _STATISTICS_SECONDS:
            row = connection.execute(_AVERAGES, {"lang": lang}).one()
            known = {name: float(getattr(row, name) or 1) for name in B}
            self._averages[lang] = (time.monotonic(), known)
        return known


_AVERAGES = text(
    "SELECT avg(title_length) AS title, avg(headings_length) AS headings, avg(body_length) AS body,"
    " avg(surface_length) AS surface FROM search_document WHERE lang = :lang"
)

_COUNTED = ("kind", "shelf")


def _reading() -> Connection:
    """What the request reads by anyway: another connection would be asked first whether it still lives."""
    return db.session.connection()


def _execute(connection: Connection, statement: str, values: list[Any]) -> list[Any]:
    """Run a statement past the layers that look for placeholders of their own, which takes longer than the search."""
    from psycopg import RawCursor, rows  # a hub on SQLite has no use for it

    driver: Any = connection.connection.driver_connection
    cursor = RawCursor(driver, row_factory=rows.namedtuple_row)
    return cursor.execute(statement, values, prepare=False).fetchall()


class _Known(KnownWords):
    """The vocabulary, which also tells whether there is an index at all."""

    def __init__(self, connection: Connection, lang: str, audience: Iterable[str], built: str) -> None:
        super().__init__(connection, lang, [*audience, _NOBODY])
        self._built = built

    def documents(self, wanted: Iterable[str]) -> dict[str, int]:
        found = super().documents([*wanted, self._built])
        if not found.pop(self._built, 0):
            raise IndexMissing(self._lang)
        return found


def _tsvector(words: Analysed) -> str:
    """A tsvector literal: every term with its positions, lettered by field; written forms under the `TERM` sign."""
    places: dict[str, list[str]] = defaultdict(list)
    fields = [(words.title, "A"), (words.headings, "B"), (words.body, "C")]
    position = 0
    for terms, letter in fields:
        for term in terms.split():
            position = min(position + 1, _LAST_POSITION)
            places[term].append(f"{position}{letter}")
    for surface in set(words.surface.split()):
        places[TERM + surface].append("1D")
    return " ".join(f"{quoted(term)}:{','.join(its[:_MOST_POSITIONS])}" for term, its in places.items())


def _add(connection: Connection, lang: str, batch: list[Document]) -> dict[str, Entry]:
    """Insert documents; returns what they add to the vocabulary."""
    taken = {document.key: (document, analysed(document)) for document in batch}
    rows = [
        {
            "lang": lang,
            "key": key,
            "kind": document.kind,
            "shelf": document.shelf,
            "audience": sorted(document.audience),
            "codes": [code.lower() for code in document.codes],
            "words": _tsvector(words),
            "title_length": words.title.count(" ") + 1,
            "headings_length": words.headings.count(" ") + 1,
            "body_length": words.body.count(" ") + 1,
            "surface_length": words.surface.count(" ") + 1,
        }
        for key, (document, words) in taken.items()
    ]
    connection.execute(insert(_table), rows)
    shown_of = {
        key: json.dumps(document.as_json(), ensure_ascii=False) for key, (document, _) in taken.items()
    }
    connection.execute(
        insert(shown), [{"lang": lang, "key": key, "document": its} for key, its in shown_of.items()]
    )
    return {key: words.entry for key, (_, words) in taken.items()}


def _settle(connection: Connection, many: int) -> None:
    """After writing `many` documents: make the next search as quick as any later one."""
    for name in _SLOW_TO_SETTLE:
        # New words wait in a list that every search reads from end to end, until a vacuum comes by.
        connection.exec_driver_sql(f"SELECT gin_clean_pending_list('{name}')")
    if many > _FEW:
        # Nobody has counted the new rows yet, and a plan made without counts can take minutes.
        for table in (_table, shown, *vocabulary.TABLES):
            connection.exec_driver_sql(f"ANALYZE {table.name}")


def _remove(connection: Connection, lang: str, gone: list[str]) -> None:
    if gone:
        for table in (_table, shown):
            connection.execute(delete(table).where(table.c.lang == lang, table.c.key.in_(gone)))
        vocabulary.put(connection, lang, dict.fromkeys(gone))
