"""An import from its beginning to its end, wherever the files are: look, then put in batch by batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...core.database import db, transaction
from . import checking, reading
from .reading import Bundle, Entry
from .sources import Archive, Folder
from .storing import Report, Store, batches

#: Told after every batch: how many of the entries are done.
Progress = Callable[[int], None]


def look(
    stream: IO[bytes], filename: str, *, category: str = "", loosely: bool = False
) -> tuple[Bundle, list[Entry]]:
    """What an uploaded file holds, and what of it may go in. Raises Refused."""
    if is_archive(stream):
        bundle = reading.read_files(Archive(stream), category=category)
    else:
        bundle = reading.read_lines(stream, filename)
    return bundle, checking.check(bundle, loosely=loosely)


def is_archive(stream: IO[bytes]) -> bool:
    head = stream.read(4)
    stream.seek(0)
    return head[:2] == b"PK"


@contextmanager
def opened(path: Path, *, category: str = "", loosely: bool = False) -> Iterator[tuple[Bundle, list[Entry]]]:
    """What a folder, a ZIP or a file of lines holds. Raises Refused."""
    if path.is_dir():
        bundle = reading.read_files(Folder(path), prefix=f"{path}/", category=category)
        yield bundle, checking.check(bundle, loosely=loosely)
        return
    with path.open("rb") as stream:
        yield look(stream, str(path), category=category, loosely=loosely)


def put_in(
    bundle: Bundle,
    entries: list[Entry],
    progress: Progress,
    *,
    author_id: int | None = None,
    force: bool = False,
) -> Report:
    """Put the entries in, a hundred at a time: whoever writes meanwhile waits for a moment, not for all of it.

    What is in already stays as it is, so an import that broke off goes on when it is started again.
    """
    store = Store(bundle, author_id=author_id, force=force)
    with transaction():
        store.put_categories()
    report, done = Report(), 0
    for batch in batches(entries):
        ready, skipped = store.prepare(batch)
        report.add(skipped)
        with transaction():
            report.add(store.put(ready))
            done += len(batch)
            progress(done)
        db.session.expunge_all()
    return report
