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
from whoosh.writing import IndexWriter

from .documents import Document
from .engine import IndexBusy, analysed
from .vocabulary import Entry

_MOST_SEGMENTS = 4
_LOCK_ATTEMPTS = 10
_LOCK_PAUSE = 0.05

SCHEMA = fields.Schema(
    key=fields.ID(unique=True),
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
