"""The files of a Whoosh index: its schema, its one writer, its vocabulary's database, its lock."""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy import Engine as Database
from whoosh import fields, index
from whoosh.index import LockError
from whoosh.writing import OPTIMIZE, IndexWriter

from .documents import Document
from .engine import IndexBusy, analysed
from .vocabulary import Entry

_FEW_SEGMENTS = 4
_MUCH_LARGER = 4
_LOCK_ATTEMPTS = 10
_LOCK_PAUSE = 0.05

SCHEMA = fields.Schema(
    key=fields.ID(unique=True, sortable=True),  # what is sortable can be read without the whole document
    kind=fields.ID(),
    shelf=fields.ID(),
    audience=fields.KEYWORD(),
    codes=fields.KEYWORD(),
    title=fields.KEYWORD(scorable=True),
    headings=fields.KEYWORD(scorable=True),
    body=fields.KEYWORD(scorable=True),
    surface=fields.KEYWORD(scorable=True),
    document=fields.STORED(),
)


def store(writer: IndexWriter, batch: list[Document]) -> dict[str, Entry]:
    """Add documents to the index; returns what they add to the vocabulary."""
    entries = {}
    for document in batch:
        words = analysed(document)
        entries[document.key] = words.entry
        writer.add_document(
            key=document.key,
            kind=document.kind,
            shelf=document.shelf,
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
def writer_of(folder: Path, lang: str) -> Iterator[IndexWriter]:
    """A writer that commits at the end of the block, or leaves the index as it was."""
    try:
        writer = index.open_dir(str(folder)).writer(limitmb=64)
    except LockError as error:
        raise IndexBusy(lang) from error
    try:
        yield writer
        writer.commit(mergetype=_merge_small)
    except BaseException:
        with suppress(Exception):
            writer.cancel()
        raise


def _merge_small(writer: IndexWriter, segments: list[Any]) -> list[Any]:
    """Merge the small segments into what is being written; returns those that stay.

    One that is much larger than all smaller ones together stays, so a save costs no whole index however large it
    is, and the segments stay few: their sizes are powers of `_MUCH_LARGER`.
    """
    if len(segments) < _FEW_SEGMENTS:
        return segments
    by_size = sorted(segments, key=lambda segment: segment.doc_count_all())
    sizes = [segment.doc_count_all() for segment in by_size]
    larger = (at for at in range(1, len(sizes)) if sizes[at] > _MUCH_LARGER * sum(sizes[:at]))
    small = next(larger, len(sizes))
    OPTIMIZE(writer, by_size[:small])
    return by_size[small:]


@contextmanager
def vocabulary_of(folder: Path) -> Iterator[Connection]:
    """A transaction on the words of a folder."""
    database = words_database(folder)
    try:
        with database.begin() as connection:
            yield connection
    finally:
        database.dispose()


def words_database(folder: Path) -> Database:
    database = create_engine(f"sqlite:///{folder / 'words.db'}", connect_args={"timeout": 30})

    @event.listens_for(database, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        # Readers go on while the worker writes. What a crash loses is written again with the document.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        # Four of these are open at a time, and the system keeps their pages anyway.
        connection.execute("PRAGMA cache_size=-256")

    return database


def lock_file(descriptor: int, lang: str) -> None:
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE * (attempt + 1))
        else:
            return
    raise IndexBusy(lang)
