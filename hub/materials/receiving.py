"""Files that arrive in pieces: after a broken line, a reload or a restart the rest follows, not the whole again.

How much is there is the length of a file on disk, which no crash can make a lie of: a piece that was cut off
counts as far as it came. Once it is complete the file is looked into and waits for its owner to add it;
what nobody adds is thrown away after a day.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import delete, func, select
from werkzeug.datastructures import FileStorage

from ..accounts.models import User
from ..core import clock, storage, uploads
from ..core.access import visible
from ..core.database import after_commit, db, touched, transaction
from ..core.errors import HubError, TooLarge
from ..core.i18n import _l, filesize
from ..core.settings import settings
from ..core.storage import Stored
from ..core.uploads import Examined
from . import service
from .models import Asset, Upload, UploadState

FOLDER = "incoming"
#: Ending of a picture as it will be kept.
KEPT = ".kept"
#: What nobody touches for so long is thrown away.
PATIENCE = timedelta(days=1)
#: Of one person at a time.
MOST = 500
CHUNK = 1 << 18


class TooMany(HubError):
    message = _l("You have %(count)s files waiting already. Add or remove some of them first.", count=MOST)


class WrongOffset(HubError):
    message = _l("This piece does not follow what is there already.")


class BeingWritten(HubError):
    """Another request is writing to the same file, perhaps one whose line broke a moment ago."""

    status = 423
    message = _l("Another piece of this file is on its way.")


class Gone(HubError):
    message = _l("This file has been added already, or thrown away.")


# --- Receiving -------------------------------------------------------------


def begin(user: User, name: str, size: int, modified: str | None = None) -> Upload:
    """Expect a file. Raises TooLarge and TooMany."""
    if size > (most := service.largest()):
        raise TooLarge(
            _l(
                "The file is %(size)s; the limit is %(limit)s.",
                size=filesize(size),
                limit=filesize(most),
            )
        )
    waiting = select(func.count()).select_from(Upload).where(Upload.user_id == user.id)
    if (db.session.scalar(waiting) or 0) >= MOST:
        raise TooMany
    upload = Upload(user_id=user.id, name=uploads.safe_name(name), size=size, modified=modified)
    db.session.add(upload)
    db.session.flush()
    return upload


def mine(user: User) -> list[Upload]:
    """A person's files that wait or are on their way, the oldest first."""
    return list(db.session.scalars(visible(select(Upload), user).order_by(Upload.id)))


def received(upload: Upload) -> int:
    """How many bytes of it are there."""
    if upload.state is not UploadState.RECEIVING:
        return upload.size
    try:
        return _path(upload).stat().st_size
    except FileNotFoundError:
        return 0


def is_whole(upload: Upload) -> bool:
    """Is all of it there, and nobody has noted yet what it is?"""
    return upload.state is UploadState.RECEIVING and received(upload) == upload.size


def append(upload: Upload, offset: int, stream: IO[bytes]) -> None:
    """Write what follows at `offset`, as far as it comes.

    Raises WrongOffset, BeingWritten, and TooLarge for more than was announced.
    """
    with _locked(upload) as file:
        there = file.seek(0, 2)
        if upload.state is not UploadState.RECEIVING or offset != there:
            raise WrongOffset
        while chunk := stream.read(CHUNK):
            if there + len(chunk) > upload.size:
                raise TooLarge
            there += file.write(chunk)
            file.flush()


@contextmanager
def _locked(upload: Upload) -> Iterator[IO[bytes]]:
    path = _path(upload)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BeingWritten from None
        yield file


def look_into(upload: Upload) -> dict[str, Any]:
    """Find out what a complete file is, before any transaction: it may take a while. `settle` writes it down.

    What will be kept lies beside what was sent, which says how much has come until all is written down.
    """
    path = _path(upload)
    try:
        with path.open("rb") as stream:
            sent = FileStorage(stream, filename=upload.name)
            examined = service.examine(sent)
            if examined.stream is not stream:  # a picture, written anew
                _write(path.with_suffix(KEPT), examined.stream)
            digest = service.digest(examined)
    except HubError as error:
        return {"state": UploadState.REFUSED, "error": str(error.message)}
    return {"state": UploadState.READY, "sha256": digest, "facts": _facts(examined)}


def settle(upload: Upload, found: dict[str, Any] | None = None) -> None:
    """Note that a piece has come, and what the file is when it was the last one; what is not accepted is thrown away."""
    for name, value in (found or {}).items():
        setattr(upload, name, value)
    upload.touched_at = clock.now()
    if upload.state is UploadState.REFUSED:
        after_commit(lambda: _unlink(upload.token))


def _facts(examined: Examined) -> dict[str, Any]:
    names = ("name", "mime", "kind", "size", "width", "height", "duration_ms")
    return {name: getattr(examined, name) for name in names}


def _write(path: Path, content: IO[bytes]) -> None:
    content.seek(0)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.stem}.", delete=False) as file:
        while chunk := content.read(CHUNK):
            file.write(chunk)
    Path(file.name).replace(path)


def earlier(upload: Upload) -> Upload | None:
    """The same file among those of the same person that wait already."""
    same = Upload.sha256 == upload.sha256, Upload.user_id == upload.user_id, Upload.id < upload.id
    return (
        db.session.scalar(select(Upload).where(*same).order_by(Upload.id).limit(1)) if upload.sha256 else None
    )


# --- Adding and throwing away ----------------------------------------------


def twin(upload: Upload) -> Asset | None:
    """An asset that shows this very file already."""
    return service.same_file(upload.sha256) if upload.sha256 else None


@contextmanager
def content(upload: Upload) -> Iterator[tuple[Examined, Stored]]:
    """A file that waits, put into the storage before any transaction. Raises Gone."""
    facts = upload.facts
    if facts is None:
        raise Gone
    path = _path(upload)
    kept = path.with_suffix(KEPT)
    try:
        stream = (kept if kept.exists() else path).open("rb")
    except FileNotFoundError:
        raise Gone from None
    with stream:
        stored = storage.store(stream, limit=max(facts["size"], 1))
        yield Examined(**facts | {"kind": uploads.Kind(facts["kind"])}, stream=stream), stored


def drop(token: str, *states: UploadState) -> None:
    """Throw a file away when it is in one of `states` (in any, without them): after the commit, its content too.

    Raises Gone: of two who add the same file, one is too late.
    """
    fits = [Upload.token == token, *([Upload.state.in_(states)] if states else [])]
    if not touched(delete(Upload).where(*fits)):
        raise Gone
    after_commit(lambda: _unlink(token))


def clean() -> int:
    """Throw away what nobody has touched for a day, and files without a row; how many rows went."""
    old = list(
        db.session.scalars(select(Upload.token).where(Upload.touched_at < clock.now() - PATIENCE).limit(1000))
    )
    for token in old:
        with suppress(Gone), transaction():
            drop(token)
    known = set(db.session.scalars(select(Upload.token)))
    for path in (settings.home / FOLDER).glob("*"):
        forgotten = path.stat().st_mtime < (clock.now() - PATIENCE).timestamp()
        if forgotten and path.name.partition(".")[0] not in known:
            path.unlink(missing_ok=True)
    return len(old)


def _path(upload: Upload) -> Path:
    return _path_of(upload.token)


def _unlink(token: str) -> None:
    for path in (_path_of(token), _path_of(token).with_suffix(KEPT)):
        path.unlink(missing_ok=True)


def _path_of(token: str) -> Path:
    return settings.home / FOLDER / token
