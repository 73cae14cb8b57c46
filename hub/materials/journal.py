"""Clicks and views on their way to the database: each web process writes them down at once, the worker takes them over.

A process appends to a file of its own and holds a lock on it. The kernel has the line before the visitor
has the answer, so a killed process loses nothing; once a second the file is written through to the disk and
let go, so a power cut loses a second at most. A file whose lock is free, because its writer let it go or
died, is the worker's.
"""

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Flask, current_app

from ..core import jobs
from ..core.settings import settings

SECONDS = 1.0
_NEW, _READY = ".new", ".clicks"


class Journal:
    """Where one process notes what must not be lost and must not be waited for."""

    def __init__(self, folder: Path, *, when_let_go: Callable[[], None] | None = None) -> None:
        """`when_let_go` is called, in a thread of the journal's own, after lines have been let go."""
        self.folder = folder
        self._when_let_go = when_let_go
        self._lock = threading.Lock()
        self._file: int | None = None
        self._pid = 0
        self._woken = threading.Event()

    def write(self, entry: dict[str, Any]) -> None:
        """Note an entry; raises OSError when the disk is full."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self._file is None or self._pid != os.getpid():
                self._begin()
            os.write(self._file, line)  # type: ignore[arg-type]
        self._woken.set()

    def let_go(self) -> bool:
        """Hand over what has been written, safe on the disk; False when there was nothing."""
        with self._lock:
            file, self._file = self._file, None
        if file is None:
            return False
        try:
            os.fsync(file)
        finally:
            os.close(file)  # and with it the lock
        return True

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Named for the worker only once it is locked: it would take a free file for a finished one.
        path = self.folder / f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}{_NEW}"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        fcntl.flock(file, fcntl.LOCK_EX)
        path.rename(path.with_suffix(_READY))
        if self._pid != os.getpid():
            self._pid = os.getpid()
            if self._when_let_go:
                self._woken = threading.Event()
                threading.Thread(target=self._let_go_regularly, daemon=True, name="journal").start()
        self._file = file

    def _let_go_regularly(self) -> None:
        while self._woken.wait():
            time.sleep(SECONDS)
            self._woken.clear()
            with suppress(OSError):
                if self.let_go() and self._when_let_go:
                    self._when_let_go()


def of_process(folder: str, job: str) -> Journal:
    """This process's journal in a folder of the hub's; the job is rung when lines have been let go."""
    key = f"hub.journal.{folder}"
    found: Journal | None = current_app.extensions.get(key)
    if found is None:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

        def ring() -> None:
            with app.app_context():
                jobs.ring(job)

        # Tests let go by themselves, when they want to look.
        found = Journal(settings.home / folder, when_let_go=None if app.testing else ring)
        found = app.extensions.setdefault(key, found)
    return found


def finished(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Files that nobody writes to any more, oldest first, each with its entries and locked meanwhile.

    The caller deletes a file when its entries are safe. A line that a power cut left unfinished is left out.
    """
    for path in sorted(folder.glob(f"*{_READY}")):
        with _locked(path) as data:
            if data is not None:
                yield path, list(_entries(data))


@contextmanager
def _locked(path: Path) -> Iterator[bytes | None]:
    """The file's content while nobody else has it; None when somebody does."""
    try:
        file = path.open("rb")
    except FileNotFoundError:  # another worker was quicker
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Locked, but perhaps only after the other worker had deleted it.
        yield file.read() if path.exists() else None


def _entries(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry
