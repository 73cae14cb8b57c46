"""PostgreSQL full text: the same words, in a table beside the data they describe.

`ts_rank` counts how often and where a word stands; what it lacks, how rare the word is and how long the
field, is multiplied in, so that both engines rank alike.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from math import log
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, delete, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from ..database import Base, db
from . import vocabulary
from .documents import Document, Found
from .engine import (
    ALL_WORDS,
    CODE,
    FLOOR,
    SURFACE,
    WEIGHTS,
    Analysed,
    IndexBusy,
    IndexMissing,
    Progress,
    analysed,
    in_batches,
)
from .question import Question, Wanted
from .vocabulary import TERM, Entry, KnownWords

_Texts = Text().with_variant(ARRAY(Text), "postgresql")
_Words = Text().with_variant(TSVECTOR(), "postgresql")

documents = Table(
    "search_document",
    Base.metadata,
    Column("lang", String(2), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("audience", _Texts, nullable=False),
    Column("codes", _Texts, nullable=False),
    Column("words", _Words, nullable=False),
    Column("title_length", Integer, nullable=False),
    Column("headings_length", Integer, nullable=False),
    Column("body_length", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "words", postgresql_using="gin"),
    Index(None, "codes", postgresql_using="gin"),
)

_table = documents

# The letters by which a tsvector tells our fields apart, and each letter's place in ts_rank's weights {D,C,B,A}.
_LETTER = {"title": "A", "headings": "B", "body": "C"}
_ONLY = {"title": "{0,0,0,1}", "headings": "{0,0,1,0}", "body": "{0,1,0,0}", "surface": "{1,0,0,0}"}
_LENGTH_MATTERS = {"title": 0.5, "headings": 0.5, "body": 0.75}
#: ts_rank gives this for a word that stands once in a field.
_ONCE = 0.6079271
_LAST_POSITION = 16_383
_MOST_POSITIONS = 255

# The row that says this language has been built; it stands among the vocabulary's entries.
_BUILT = "built"
_STATISTICS_SECONDS = 60


class Statistics(NamedTuple):
    """What scoring needs to know of a whole language: documents, and the mean length of each field."""

    documents: int
    average: dict[str, float]


class PostgresEngine:
    """The engine of a hub whose database is PostgreSQL."""

    def __init__(self) -> None:
        self._statistics: dict[str, tuple[float, Statistics]] = {}

    @contextmanager
    def words(self, lang: str, audience: Set[str]) -> Iterator[KnownWords]:
        with db.engine.connect() as connection:
            self._check(connection, lang)
            yield KnownWords(connection, lang, audience)

    def find(
        self, question: Question, audience: Set[str], kinds: Set[str], limit: int, offset: int = 0
    ) -> Found:
        with db.engine.connect() as connection:
            if not question.words and not question.codes:
                return Found()
            score, values = self._score(connection, question, audience)
            values |= {
                "lang": question.lang,
                "audience": sorted(audience),
                "codes": list(question.codes),
                "any": " | ".join(_quoted(term) for term in sorted(question.terms)) or _quoted(TERM),
                "kinds": sorted(kinds),
                "limit": limit,
                "offset": offset,
            }
            rows = connection.execute(text(_FIND.format(score=score, floor=FLOOR, code=CODE)), values).all()
        found = [Document.from_json(json.loads(document)) for document, _, _ in rows if document]
        return Found(found, {kind: int(count) for document, kind, count in rows if not document})

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
            vocabulary.put(connection, lang, {_BUILT: Entry(frozenset(), set())})
            entries: dict[str, Entry | None] = {}
            for batch in in_batches(documents):
                entries |= _add(connection, lang, batch)
                progress(len(entries))
            vocabulary.put(connection, lang, entries)
        self._statistics.pop(lang, None)

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
        built = select(entries.c.document).where(entries.c.lang == lang, entries.c.document == _BUILT)
        if connection.scalar(built) is None:
            raise IndexMissing(lang)

    def _known(self, connection: Connection, lang: str) -> Statistics:
        at, known = self._statistics.get(lang, (0.0, None))
        if known is None or time.monotonic() - at > _STATISTICS_SECONDS:
            row = connection.execute(_STATISTICS, {"lang": lang}).one()
            known = Statistics(row.documents, {name: float(getattr(row, name) or 1) for name in WEIGHTS})
            self._statistics[lang] = (time.monotonic(), known)
        return known

    def _score(
        self, connection: Connection, question: Question, audience: Set[str]
    ) -> tuple[str, dict[str, Any]]:
        """The SQL of a document's score, and its parameters. Only numbers and our own names are written into it."""
        statistics = self._known(connection, question.lang)
        seen = KnownWords(connection, question.lang, audience).documents(
            TERM + term for term in question.terms
        )
        values: dict[str, Any] = {}
        sums: dict[str, list[str]] = {name: [] for name in WEIGHTS}
        parts: list[str] = []
        for at, word in enumerate(question.words):
            rarity = (
                log(
                    statistics.documents
                    / (max((seen.get(TERM + term, 0) for term in word.terms), default=0) + 1)
                    + 1
                )
                + 1
            )
            for name in WEIGHTS:
                sums[name].append(_word_sql(name, word, at, rarity, values))
            values[f"s{at}"] = _quoted(TERM + word.surface)
            parts.append(
                f"{SURFACE * rarity / _ONCE} * ts_rank('{_ONLY['surface']}', words, CAST(:s{at} AS tsquery))"
            )
        for name, weight in WEIGHTS.items():
            if not sums[name]:
                continue
            b, average = _LENGTH_MATTERS[name], statistics.average[name]
            short = f"(2.2 / (1 + 1.2 * ({1 - b} + {b / average} * {name}_length)))"
            bonus = ""
            if name != "body":
                values[f"all_{name}"] = " & ".join(
                    "(" + " | ".join(f"{_quoted(term)}:{_LETTER[name]}" for term in word.terms) + ")"
                    for word in question.words
                )
                bonus = f" + CASE WHEN words @@ CAST(:all_{name} AS tsquery) THEN {ALL_WORDS} ELSE 0 END"
            parts.append(f"({weight}{bonus}) * {short} * ({' + '.join(sums[name])})")
        return " + ".join(parts) or "0", values


_STATISTICS = text(
    "SELECT count(*) AS documents, avg(title_length) AS title, avg(headings_length) AS headings, avg(body_length) AS body"
    " FROM search_document WHERE lang = :lang"
)

_FIND = """
WITH scored AS MATERIALIZED (
  SELECT key, kind, {score} + CASE WHEN codes && CAST(:codes AS text[]) THEN {code} ELSE 0 END AS score
  FROM search_document
  WHERE lang = :lang AND audience && CAST(:audience AS text[])
    AND (words @@ CAST(:any AS tsquery) OR codes && CAST(:codes AS text[]))
), strong AS (
  SELECT * FROM scored WHERE score > 0 AND score >= {floor} * (SELECT max(score) FROM scored)
), best AS (
  SELECT * FROM strong WHERE cardinality(CAST(:kinds AS text[])) = 0 OR kind = ANY(CAST(:kinds AS text[]))
  ORDER BY score DESC, key LIMIT :limit OFFSET :offset
), shown AS (
  SELECT d.document, best.kind, best.score FROM best JOIN search_document d ON d.lang = :lang AND d.key = best.key
  ORDER BY best.score DESC, best.key
)
SELECT * FROM shown
UNION ALL SELECT NULL, kind, count(*) FROM strong GROUP BY kind
"""


def _word_sql(name: str, word: Wanted, at: int, rarity: float, values: dict[str, Any]) -> str:
    """The score of one word in one field: the best of its alternatives, which are grouped by weight."""
    groups: dict[float, list[str]] = defaultdict(list)
    for term, weight in word.terms.items():
        groups[weight].append(f"{_quoted(term)}:{_LETTER[name]}")
    ranks = []
    for number, (weight, terms) in enumerate(sorted(groups.items())):
        key = f"w{at}_{number}_{name}"
        values[key] = " | ".join(terms)
        # ts_rank divides by the number of terms in the query, which alternatives must not suffer from.
        factor = weight * rarity * len(terms) / _ONCE
        ranks.append(f"{factor} * ts_rank('{_ONLY[name]}', words, CAST(:{key} AS tsquery))")
    return f"greatest({', '.join(ranks)})" if len(ranks) > 1 else ranks[0]


def _quoted(term: str) -> str:
    """A lexeme for a tsquery or tsvector literal."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


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
    return " ".join(f"{_quoted(term)}:{','.join(its[:_MOST_POSITIONS])}" for term, its in places.items())


def _add(connection: Connection, lang: str, batch: list[Document]) -> dict[str, Entry]:
    """Insert documents; returns what they add to the vocabulary."""
    taken = {document.key: (document, analysed(document)) for document in batch}
    rows = [
        {
            "lang": lang,
            "key": key,
            "kind": document.kind,
            "audience": sorted(document.audience),
            "codes": [code.lower() for code in document.codes],
            "words": _tsvector(words),
            "title_length": words.title.count(" ") + 1,
            "headings_length": words.headings.count(" ") + 1,
            "body_length": words.body.count(" ") + 1,
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
