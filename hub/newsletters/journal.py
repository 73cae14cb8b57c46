"""What a worker is handing over right now, noted where it can be read after the worker was killed.

Rows are claimed many at a time, in one commit. Of those, only the letters that
were being handed over in the moment of a crash are in doubt; this file says
which. Each is noted before the call and after the answer, at a hundredth of
the cost of a commit.

The worker holds a lock on its journal, so others see that it lives. What the
system has not written to the disk dies with the machine, not with the worker:
after a restart of the machine the journal is not believed.
"""

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from ..core.mail import Later, NotSent, Refused, Unknown
from ..core.settings import settings

#: Changes with every start of the machine (Linux); elsewhere no journal is believed.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

#: How it went with a row, as far as a journal tells: begun and never answered is Unknown.
Found = dict[int, NotSent | None]


class Alive(Exception):
    """The worker that writes this journal is still at work."""


class Journal:
    """The notes of one worker. Its name marks the rows that the worker has claimed."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.path = _path(self.name)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(self.file, fcntl.LOCK_EX)
        os.write(self.file, f"{_boot()}\n".encode())

    def begin(self, numbers: Iterable[int]) -> None:
        """Note that these rows are about to be handed over."""
        os.write(self.file, "".join(f"{number} begun\n" for number in numbers).encode())

    def end(self, results: Iterable[tuple[int, NotSent | None]]) -> None:
        """Note what the answer was."""
        os.write(self.file, "".join(f"{number} {_said(error)}\n" for number, error in results).encode())

    def forget(self) -> None:
        """Begin anew: everything noted stands in the ledger now."""
        os.ftruncate(self.file, 0)
        os.write(self.file, f"{_boot()}\n".encode())

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self.file)


def read(name: str) -> Found | None:
    """What the journal of a worker that died says; None if there is none to be believed. Raises Alive."""
    try:
        file = os.open(_path(name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(file) as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise Alive from None
        boot, *lines = journal.read().split("\n")[:-1] or [""]
    if not boot or boot != _boot():
        return None
    found: Found = {}
    for line in lines:
        number, kind, *rest = line.split(" ", 2)
        found[int(number)] = _meant(kind, "".join(rest))
    return found


def drop(name: str) -> None:
    """Remove the journal of a worker that died, once the ledger says what it said."""
    _path(name).unlink(missing_ok=True)


def drop_old(age: timedelta) -> None:
    """Remove journals of workers that died with nothing in doubt."""
    for path in (settings.home / "sending").glob("*.journal"):
        with contextlib.suppress(Alive, FileNotFoundError):
            if time.time() - path.stat().st_mtime > age.total_seconds():
                read(path.stem)
                drop(path.stem)


def _path(name: str) -> Path:
    return settings.home / "sending" / f"{name}.journal"


def _boot() -> str:
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""


def _said(error: NotSent | None) -> str:
    if error is None:
        return "sent"
    kind = "unknown" if isinstance(error, Unknown) else "later" if isinstance(error, Later) else "refused"
    return f"{kind} {' '.join(str(error).split())[:300]}"


def _meant(kind: str, reason: str) -> NotSent | None:
    if kind == "sent":
        return None
    if kind == "begun":
        return Unknown("the worker stopped in between")
    return {"unknown": Unknown, "later": Later, "refused": Refused}[kind](reason)
