"""Whoosh index: the worker writes it, pages read it. One folder per language under `HUB_HOME/index`.

    index/<lang>/current      the name of the folder in use
    index/<lang>/<name>/      a Whoosh index, and words.db with its vocabulary; names begin with the index's FORM

A rebuild fills a new folder and then replaces `current`, so readers see the old index or the new one,
never half of either.
"""

import os
import pickle
import secrets
import shutil
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy.exc import DatabaseError
from whoosh import index, query
from whoosh.reading import CorruptIndexError

from ..database import Base
from . import vocabulary
from .documents import Document, Found, Narrowing
from .engine import FORM, IndexMissing, Progress, in_batches
from .question import Question
from .vocabulary import Entry, KnownWords
from .whoosh_files import SCHEMA, lock_file, store, vocabulary_of, words_database, writer_of
from .whoosh_snapshot import Snapshot

log = structlog.get_logger()

#: What reading a damaged file raises.
_DAMAGE = (
    CorruptIndexError,
    FileNotFoundError,
    EOFError,
    struct.error,
    zlib.error,
    pickle.UnpicklingError,
    UnicodeDecodeError,
)


class WhooshEngine:
    """The engine of a hub that keeps everything in one folder."""

    form = FORM

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Snapshot] = {}
        self._lock = threading.Lock()

    @contextmanager
    def words(self, lang: str, audience: Set[str]) -> Iterator[KnownWords]:
        with self._sound(lang), self._snapshot(lang).database.connect() as connection:
            yield KnownWords(connection, lang, audience)

    def find(
        self, question: Question, audience: Set[str], only: Narrowing, limit: int, offset: int = 0
    ) -> Found:
        with self._sound(question.lang):
            return self._snapshot(question.lang).find(question, frozenset(audience), only, limit, offset)

    def ids(self, question: Question, audience: Set[str], kind: str) -> list[int]:
        with self._sound(question.lang):
            return self._snapshot(question.lang).ids(question, frozenset(audience), kind)

    def write(self, lang: str, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        with self._writing(lang):
            documents, gone = list(documents), self._present(lang, gone)
            if not documents and not gone:
                return
            with self._sound(lang):
                self._add(self._current(lang), lang, documents, gone)

    def rebuild(self, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        with self._writing(lang):
            name = f"{self.form}-{secrets.token_hex(6)}"
            self._create(lang, name)
            try:
                self._fill(self._folder / lang / name, lang, documents, progress)
            except BaseException:
                shutil.rmtree(self._folder / lang / name, ignore_errors=True)
                raise
            self._switch(lang, name)

    # --- Reading ---

    def _snapshot(self, lang: str) -> Snapshot:
        """The index as it is now; opened again only when it changed."""
        with self._lock:
            held = self._open.get(lang)
            try:
                path = self._current(lang)
                if held is None or held.path != path:
                    held = Snapshot(path)
                elif not held.is_fresh():
                    held = Snapshot(path, held)
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
        if not name.startswith(f"{self.form}-"):
            raise IndexMissing(lang)
        return self._folder / lang / name

    @contextmanager
    def _sound(self, lang: str) -> Iterator[None]:
        """Files that turn out to be damaged are out of use from then on: for everybody the index is missing."""
        try:
            yield
        except (*_DAMAGE, DatabaseError) as error:
            if "locked" in str(error):
                raise
            log.warning("search index damaged", lang=lang, error=repr(error))
            (self._folder / lang / "current").unlink(missing_ok=True)
            raise IndexMissing(lang) from error

    # --- Writing ---

    @contextmanager
    def _writing(self, lang: str) -> Iterator[None]:
        """One writer per language, across processes."""
        (self._folder / lang).mkdir(parents=True, exist_ok=True)
        with (self._folder / lang / "lock").open("a") as handle:
            lock_file(handle.fileno(), lang)
            yield

    def _present(self, lang: str, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are in the index; one that is not there whole has to be built first."""
        try:
            with index.open_dir(str(self._current(lang))).reader() as reader:
                return [key for key in keys if ("key", key) in reader]
        except IndexMissing:
            raise
        except Exception as error:
            raise IndexMissing(lang) from error

    def _create(self, lang: str, name: str) -> None:
        folder = self._folder / lang / name
        folder.mkdir(parents=True)
        index.create_in(str(folder), SCHEMA)
        database = words_database(folder)
        Base.metadata.create_all(database, tables=vocabulary.TABLES)
        database.dispose()

    def _add(self, folder: Path, lang: str, documents: list[Document], gone: list[str]) -> None:
        with vocabulary_of(folder) as connection, writer_of(folder, lang) as writer:
            gone = gone + [document.key for document in documents]
            writer.delete_by_query(query.Or([query.Term("key", key) for key in gone]))
            vocabulary.put(connection, lang, dict.fromkeys(gone) | store(writer, documents))

    def _fill(self, folder: Path, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        with vocabulary_of(folder) as connection, writer_of(folder, lang) as writer:

            def stored() -> Iterator[dict[str, Entry]]:
                done = 0
                for batch in in_batches(documents):
                    yield store(writer, batch)
                    done += len(batch)
                    progress(done)

            vocabulary.fill(connection, lang, stored())

    def _switch(self, lang: str, name: str) -> None:
        """Point `current` at a finished folder; the one before it stays until the next time, for its readers."""
        pointer = self._folder / lang / "current"
        before = pointer.read_text().strip() if pointer.exists() else ""
        new = pointer.with_suffix(".new")
        new.write_text(name)
        os.replace(new, pointer)
        for other in (self._folder / lang).iterdir():
            if other.is_dir() and other.name not in (name, before):
                shutil.rmtree(other, ignore_errors=True)
