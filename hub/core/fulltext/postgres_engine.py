"""PostgreSQL full text: the same words, in a table beside the data they describe.

GIN finds the documents, `ts_rank` tells where and how often a word stands in each; `postgres_score` makes
of that the same score that the other engine counts.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, delete, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from ..database import Base, db
from . import vocabulary
from .documents import Document, Found, Narrowing
from .engine import FORM, Analysed, IndexBusy, IndexMissing, Progress, analysed, in_batches
from .postgres_score import Score, quoted
from .question import Question, Wanted
from .scoring import BEST, CODE, FLOOR, B
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
    Column("document", Text, nullable=False),
    Index(None, "words", postgresql_using="gin"),
    Index(None, "codes", postgresql_using="gin"),
)

_table = documents

_LAST_POSITION = 16_383
_MOST_POSITIONS = 255

# The row that says this language has been built; it stands among the vocabulary's entries.
_BUILT = "built"
_STATISTICS_SECONDS = 60


class PostgresEngine:
    """The engine of a hub whose database is PostgreSQL."""

    form = FORM

    def __init__(self) -> None:
        self._averages: dict[str, tuple[float, dict[str, float]]] = {}

    @contextmanager
    def words(self, lang: str, audience: Set[str]) -> Iterator[KnownWords]:
        with db.engine.connect() as connection:
            self._check(connection, lang)
            yield KnownWords(connection, lang, audience)

    def find(
        self, question: Question, audience: Set[str], only: Narrowing, limit: int, offset: int = 0
    ) -> Found:
        with db.engine.connect() as connection:
            if not question.words and not question.codes:
                return Found()
            score = Score(question, self._average(connection, question.lang))
            values = score.values | {
                "lang": question.lang,
                "audience": sorted(audience),
                "codes": list(question.codes),
                "telling": _any(question.telling),
                "every": " & ".join(f"({_any([word])})" for word in question.words) or quoted(TERM),
                "strict": sorted(question.strict),
                "best": list(question.best),
                "kinds": sorted(only.kinds),
                "shelf": only.shelf,
                "limit": limit,
                "offset": offset,
            }
            found_by = _FIND.format(places=score.places, score=score.sql, floor=FLOOR, code=CODE, best=BEST)
            rows = connection.execute(text(found_by), values).all()
        counts = {what: {row.value: int(row.score) for row in rows if row.what == what} for what in _COUNTED}
        hits = [Document.from_json(json.loads(row.value)) for row in rows if row.what == "hit"]
        return Found(hits, counts["kind"], counts["shelf"])

    def write(self, lang: str, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        with self._writing(lang) as connection:
            self._check(connection, lang)
            _remove(connection, lang, list(gone))
            for batch in in_batches(documents):
                _remove(connection, lang, [document.key for document in batch])
                vocabulary.put(connection, lang, _add(connection, lang, batch))

    def rebuild(self, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        with self._writing(lang) as connection:
            connection.execute(delete(_table).where(_table.c.lang == lang))
            vocabulary.forget(connection, lang)
            vocabulary.put(connection, lang, {f"{_BUILT} {self.form}": Entry(frozenset(), set())})
            entries: dict[str, Entry | None] = {}
            for batch in in_batches(documents):
                entries |= _add(connection, lang, batch)
                progress(len(entries))
            vocabulary.put(connection, lang, entries)
        self._averages.pop(lang, None)

    @contextmanager
    def _writing(self, lang: str) -> Iterator[Connection]:
        """One writer per language; readers see all of it after the commit."""
        with db.engine.begin() as connection:
            mine = text("SELECT pg_try_advisory_xact_lock(hashtext('hub.fulltext.' || :lang))")
            if not connection.scalar(mine, {"lang": lang}):
                raise IndexBusy(lang)
            yield connection

    def _check(self, connection: Connection, lang: str) -> None:
        entries = vocabulary.entries
        built = select(entries.c.document).where(
            entries.c.lang == lang, entries.c.document == f"{_BUILT} {self.form}"
        )
        if connection.scalar(built) is None:
            raise IndexMissing(lang)

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
_FIND = """
WITH scored AS MATERIALIZED (
  SELECT key, kind, shelf, {score} + CASE WHEN codes && CAST(:codes AS text[]) THEN {code} ELSE 0 END
    + CASE WHEN key = ANY(CAST(:best AS text[])) THEN {best} ELSE 0 END AS score
  FROM search_document,
    LATERAL (SELECT words || '' AS here OFFSET 0) AS unpacked,
    LATERAL (SELECT {places} OFFSET 0) AS places
  WHERE lang = :lang AND audience && CAST(:audience AS text[])
    AND (
      words @@ CAST(:telling AS tsquery)
      AND (kind <> ALL(CAST(:strict AS text[])) OR words @@ CAST(:every AS tsquery))
      OR codes && CAST(:codes AS text[]) OR key = ANY(CAST(:best AS text[]))
    )
), strong AS (
  SELECT * FROM scored WHERE score > 0 AND score >= {floor} * (SELECT max(score) FROM scored)
), asked AS (
  SELECT * FROM strong WHERE cardinality(CAST(:kinds AS text[])) = 0 OR kind = ANY(CAST(:kinds AS text[]))
), best AS (
  SELECT key, score FROM asked WHERE :shelf IN ('', shelf) ORDER BY score DESC, key LIMIT :limit OFFSET :offset
), shown AS (
  SELECT 'hit' AS what, d.document AS value, best.score FROM best
  JOIN search_document d ON d.lang = :lang AND d.key = best.key ORDER BY best.score DESC, best.key
)
SELECT * FROM shown
UNION ALL SELECT 'kind', kind, count(*) FROM strong GROUP BY kind
UNION ALL SELECT 'shelf', shelf, count(*) FROM asked GROUP BY shelf
"""


def _any(words: list[Wanted]) -> str:
    """A tsquery for any term of any of the words; what nothing matches, if there are none."""
    return " | ".join(sorted({quoted(term) for word in words for term in word.terms})) or quoted(TERM)


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
            "document": json.dumps(document.as_json(), ensure_ascii=False),
        }
        for key, (document, words) in taken.items()
    ]
    connection.execute(insert(_table), rows)
    return {key: words.entry for key, (_, words) in taken.items()}


def _remove(connection: Connection, lang: str, gone: list[str]) -> None:
    if gone:
        connection.execute(delete(_table).where(_table.c.lang == lang, _table.c.key.in_(gone)))
        vocabulary.put(connection, lang, dict.fromkeys(gone))
