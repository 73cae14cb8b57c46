"""Whoosh index: the worker writes it, pages read it. One folder per language under `HUB_HOME/index`.

    index/<lang>/current      the name of the folder in use
    index/<lang>/<name>/      a Whoosh index, and words.db with its vocabulary

A rebuild fills a new folder and then replaces `current`, so readers see the old index or the new one,
never half of either.

Whoosh stores the postings; the scores are added up here, term by term. That gives the same numbers as
its own BM25F scorer and matchers in a tenth of the time, and the counts per kind with them.
"""

import fcntl
import heapq
import json
import os
import secrets
import shutil
import threading
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from functools import lru_cache
from math import log
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy import Engine as Database
from whoosh import fields, index, query
from whoosh.index import LockError
from whoosh.writing import IndexWriter

from ..database import Base
from . import vocabulary
from .documents import Document, Found
from .engine import (
    ALL_WORDS,
    CODE,
    FLOOR,
    SURFACE,
    WEIGHTS,
    IndexBusy,
    IndexMissing,
    Progress,
    analysed,
    in_batches,
)
from .question import Question, Wanted
from .vocabulary import Entry, KnownWords

K1 = 1.2
B = {"title": 0.5, "headings": 0.5, "surface": 0.5, "body": 0.75}
_MOST_SEGMENTS = 4
_LOCK_ATTEMPTS = 10
_LOCK_PAUSE = 0.05

_SCHEMA = fields.Schema(
    key=fields.ID(unique=True),
    kind=fields.ID(),
    audience=fields.KEYWORD(),
    codes=fields.KEYWORD(),
    title=fields.KEYWORD(scorable=True),
    headings=fields.KEYWORD(scorable=True),
    body=fields.KEYWORD(scorable=True),
    surface=fields.KEYWORD(scorable=True),
    document=fields.STORED(),
)


class WhooshEngine:
    """The engine of a hub that keeps everything in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, _Snapshot] = {}
        self._lock = threading.Lock()

    @contextmanager
    def words(self, lang: str, audience: Set[str]) -> Iterator[KnownWords]:
        with self._snapshot(lang).database.connect() as connection:
            yield KnownWords(connection, lang, audience)

    def find(
        self, question: Question, audience: Set[str], kinds: Set[str], limit: int, offset: int = 0
    ) -> Found:
        return self._snapshot(question.lang).find(question, frozenset(audience), kinds, limit, offset)

    def write(self, lang: str, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        with self._writing(lang):
            self._mend(lang)
            self._add(self._current(lang), lang, list(documents), list(gone))

    def rebuild(self, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        with self._writing(lang):
            name = secrets.token_hex(6)
            self._create(lang, name)
            try:
                self._fill(self._folder / lang / name, lang, documents, progress)
            except BaseException:
                shutil.rmtree(self._folder / lang / name, ignore_errors=True)
                raise
            self._switch(lang, name)

    # --- Reading ---

    def _snapshot(self, lang: str) -> "_Snapshot":
        """The index as it is now; opened again only when it changed."""
        with self._lock:
            held = self._open.get(lang)
            try:
                path = self._current(lang)
                if held is None or held.path != path:
                    held = _Snapshot(path)
                elif not held.is_fresh():
                    held = _Snapshot(path, held.database)
            except Exception as error:
                # Whoosh and struct raise all sorts of things on a damaged file; the cure is the same.
                self._open.pop(lang, None)
                raise IndexMissing(lang) from error
            self._open[lang] = held
            return held

    def _current(self, lang: str) -> Path:
        try:
            name = (self._folder / lang / "current").read_text().strip()
        except OSError as error:
            raise IndexMissing(lang) from error
        return self._folder / lang / name

    # --- Writing ---

    @contextmanager
    def _writing(self, lang: str) -> Iterator[None]:
        """One writer per language, across processes."""
        (self._folder / lang).mkdir(parents=True, exist_ok=True)
        with (self._folder / lang / "lock").open("a") as handle:
            _lock_file(handle.fileno(), lang)
            yield

    def _mend(self, lang: str) -> None:
        """Refuse to add to an index that is not there whole: a rebuild has to come first."""
        try:
            index.open_dir(str(self._current(lang)))
        except IndexMissing:
            raise
        except Exception as error:
            raise IndexMissing(lang) from error

    def _create(self, lang: str, name: str) -> None:
        folder = self._folder / lang / name
        folder.mkdir(parents=True)
        index.create_in(str(folder), _SCHEMA)
        database = _words_database(folder)
        Base.metadata.create_all(database, tables=vocabulary.TABLES)
        database.dispose()

    def _add(self, folder: Path, lang: str, documents: list[Document], gone: list[str]) -> None:
        with _vocabulary(folder) as connection, _writer(folder, lang) as writer:
            gone = gone + [document.key for document in documents]
            writer.delete_by_query(query.Or([query.Term("key", key) for key in gone]))
            vocabulary.put(connection, lang, dict.fromkeys(gone) | _store(writer, documents))

    def _fill(self, folder: Path, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        entries: dict[str, Entry | None] = {}
        with _vocabulary(folder) as connection, _writer(folder, lang) as writer:
            for batch in in_batches(documents):
                entries |= _store(writer, batch)
                progress(len(entries))
            vocabulary.put(connection, lang, entries)

    def _switch(self, lang: str, name: str) -> None:
        """Point `current` at a finished folder; the one before it goes, readers inside keep their open files."""
        pointer = self._folder / lang / "current"
        new = pointer.with_suffix(".new")
        new.write_text(name)
        os.replace(new, pointer)
        for other in (self._folder / lang).iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)


class _Snapshot:
    """One language's index at one moment, with what has been read from it so far."""

    def __init__(self, path: Path, database: Database | None = None) -> None:
        self.path = path
        self.database = database or _words_database(path)
        self._index = index.open_dir(str(path))
        self._generation = self._index.latest_generation()
        self._reader = self._index.reader()
        self._lock = threading.RLock()
        # Deleted documents count until a merge, in the frequencies too.
        self._count = self._reader.doc_count_all()
        self._average = {name: self._reader.field_length(name) / max(self._count, 1) or 1 for name in B}
        self._kind_of = {
            number: kind for kind in self._lexicon("kind") for number in self._numbers("kind", kind)
        }
        # Postings cost their file reads once per snapshot; 12 bytes each.
        self._scores = lru_cache(maxsize=2_000)(self._read_scores)
        self._allowed = lru_cache(maxsize=32)(self._read_allowed)

    def is_fresh(self) -> bool:
        return self._index.latest_generation() == self._generation

    def find(
        self, question: Question, audience: frozenset[str], kinds: Set[str], limit: int, offset: int
    ) -> Found:
        with self._lock:
            allowed = self._allowed(audience)
            scores = {number: score for number, score in self._add_up(question).items() if number in allowed}
            floor = FLOOR * max(scores.values(), default=0)
            strong = [(score, -number) for number, score in scores.items() if score >= floor]
            by_kind = Counter(self._kind_of[-number] for _, number in strong)
            if kinds:
                strong = [each for each in strong if self._kind_of[-each[1]] in kinds]
            best = heapq.nlargest(offset + limit, strong)[offset:]
            return Found([self._document(-number) for _, number in best], dict(by_kind))

    def _add_up(self, question: Question) -> dict[int, float]:
        """BM25F of every document that holds any of the words, and a bonus for all of them in one place."""
        total: dict[int, float] = {}
        for name, weight in WEIGHTS.items():
            each = [self._of_word(name, word) for word in question.words]
            for scores in each:
                _increase(total, scores.items(), weight)
            if name != "body" and each:
                everywhere = set(each[0]).intersection(*each[1:])
                bonus = [(number, sum(scores[number] for scores in each)) for number in everywhere]
                _increase(total, bonus, ALL_WORDS)
        for word in question.words:
            _increase(total, zip(*self._scores("surface", word.surface), strict=True), SURFACE)
        for code in question.codes:
            _increase(total, ((number, 1.0) for number in self._numbers("codes", code)), CODE)
        return total

    def _of_word(self, name: str, word: Wanted) -> dict[int, float]:
        """The word's score in one field of each document: that of its best alternative there."""
        best: dict[int, float] = {}
        for term, weight in word.terms.items():
            for number, score in zip(*self._scores(name, term), strict=True):
                if score * weight > best.get(number, 0):
                    best[number] = score * weight
        return best

    def _read_scores(self, name: str, term: str) -> tuple["array[int]", "array[float]"]:
        """Document numbers and BM25 scores of a term in a field (Robertson and Zaragoza 2009)."""
        numbers, scores = array("L"), array("f")
        if (name, term) not in self._reader:
            return numbers, scores
        rarity = log(self._count / (self._reader.doc_frequency(name, term) + 1)) + 1
        b, average = B[name], self._average[name]
        matcher = self._reader.postings(name, term)
        while matcher.is_active():
            number, times = matcher.id(), matcher.weight()
            length = self._reader.doc_field_length(number, name)
            numbers.append(number)
            scores.append(rarity * times * (K1 + 1) / (times + K1 * (1 - b + b * length / average)))
            matcher.next()
        return numbers, scores

    def _read_allowed(self, audience: frozenset[str]) -> frozenset[int]:
        return frozenset(number for token in audience for number in self._numbers("audience", token))

    def _numbers(self, name: str, term: str) -> list[int]:
        return list(self._reader.postings(name, term).all_ids()) if (name, term) in self._reader else []

    def _lexicon(self, name: str) -> list[str]:
        return [term.decode() for term in self._reader.lexicon(name)]

    def _document(self, number: int) -> Document:
        return Document.from_json(json.loads(self._reader.stored_fields(number)["document"]))


def _increase(total: dict[int, float], scores: Iterable[tuple[int, float]], weight: float) -> None:
    for number, score in scores:
        total[number] = total.get(number, 0.0) + score * weight


def _store(writer: IndexWriter, batch: list[Document]) -> dict[str, Entry]:
    """Add documents to the index; returns what they add to the vocabulary."""
    entries = {}
    for document in batch:
        words = analysed(document)
        entries[document.key] = words.entry
        writer.add_document(
            key=document.key,
            kind=document.kind,
            audience=" ".join(document.audience),
            codes=" ".join(code.lower() for code in document.codes),
            title=words.title,
            headings=words.headings,
            body=words.body,
            surface=words.surface,
            document=json.dumps(document.as_json(), ensure_ascii=False),
        )
    return entries


@contextmanager
def _writer(folder: Path, lang: str) -> Iterator[IndexWriter]:
    """A writer that commits at the end of the block, or leaves the index as it was."""
    opened = index.open_dir(str(folder))
    with opened.reader() as reader:
        segments = len(list(reader.leaf_readers()))
    try:
        writer = opened.writer(limitmb=64)
    except LockError as error:
        raise IndexBusy(lang) from error
    try:
        yield writer
        writer.commit(optimize=segments >= _MOST_SEGMENTS)
    except BaseException:
        with suppress(Exception):
            writer.cancel()
        raise


@contextmanager
def _vocabulary(folder: Path) -> Iterator[Connection]:
    """A transaction on the words of a folder."""
    database = _words_database(folder)
    try:
        with database.begin() as connection:
            yield connection
    finally:
        database.dispose()


def _words_database(folder: Path) -> Database:
    database = create_engine(f"sqlite:///{folder / 'words.db'}", connect_args={"timeout": 30})

    @event.listens_for(database, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        # Readers go on while the worker writes. What a crash loses is written again with the document.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return database


def _lock_file(descriptor: int, lang: str) -> None:
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE * (attempt + 1))
        else:
            return
    raise IndexBusy(lang)
