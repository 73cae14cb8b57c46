"""Where files are read from: a folder, or a ZIP that may be anybody's. Nothing is ever unpacked to a disk."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from ...core.errors import HubError
from ...core.i18n import Text, _l, filesize, number

#: Limits of a ZIP.
MOST_FILES = 8_000
MOST_BYTES = 200_000_000
#: One file of it.
LARGEST = 12_000_000


class Refused(HubError):
    """An archive that is not worth looking into any further."""

    status = 422
    message: Text = _l("This archive cannot be imported.")


class Files(Protocol):
    """Files by their path, which uses slashes and never leads upwards."""

    def names(self) -> list[str]: ...
    def read(self, name: str) -> bytes: ...


class Folder:
    """A folder on the disk of the hub."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def read(self, name: str) -> bytes:
        path = self.folder / name
        if path.stat().st_size > LARGEST:
            raise Refused(_l("%(name)s is larger than %(limit)s.", name=name, limit=filesize(LARGEST)))
        return path.read_bytes()


class Archive:
    """A ZIP. Its entries are read one at a time, as far as the limits go, whatever it says of their sizes."""

    def __init__(self, stream: IO[bytes]) -> None:
        _refuse_long_directory(stream)
        try:
            self.zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
            raise Refused(_l("The ZIP file is damaged.")) from None
        self.unpacked = 0
        entries = self.zip.infolist()
        if len(entries) > MOST_FILES:
            raise Refused(_l("The archive holds more than %(count)s files.", count=number(MOST_FILES)))
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise _too_much()
        for entry in entries:
            _refuse_odd(entry)
        kept = {
            entry.filename: entry
            for entry in entries
            if not entry.is_dir() and not _is_litter(entry.filename)
        }
        root = _common_folder(list(kept))
        self.entries = {name.removeprefix(root): entry for name, entry in kept.items()}

    def names(self) -> list[str]:
        return sorted(self.entries)

    def read(self, name: str) -> bytes:
        try:
            with self.zip.open(self.entries[name]) as file:
                data = file.read(LARGEST + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            raise Refused(_l("%(name)s in the archive is damaged.", name=name)) from None
        self.unpacked += len(data)
        if len(data) > LARGEST:
            raise Refused(_l("%(name)s is larger than %(limit)s.", name=name, limit=filesize(LARGEST)))
        if self.unpacked > 2 * MOST_BYTES:  # a picture may be looked at twice
            raise _too_much()
        return data


def _refuse_long_directory(stream: IO[bytes]) -> None:
    """Before it is read: a list of a million empty files fits into a small archive."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 66_000))
    tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    stream.seek(0)
    if end >= 0 and int.from_bytes(tail[end + 12 : end + 16], "little") > MOST_FILES * 300:
        raise Refused(_l("The archive holds more than %(count)s files.", count=number(MOST_FILES)))


def _too_much() -> Refused:
    return Refused(_l("The archive would unpack to more than %(limit)s.", limit=filesize(MOST_BYTES)))


def _refuse_odd(entry: zipfile.ZipInfo) -> None:
    """What no honest archive of articles has."""
    name = entry.orig_filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\x00" in name or "\\" in name:
        raise Refused(_l("The ZIP file has entries that point outside of it."))
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Refused(_l("The archive holds links to other files: %(name)s.", name=entry.filename))
    if entry.flag_bits & 0x1:
        raise Refused(_l("The archive is protected by a password."))
    # Deflate never gets beyond 1032:1, and text not beyond 200:1.
    if entry.file_size > 1_000_000 and entry.file_size > 200 * max(entry.compress_size, 1):
        raise _too_much()


def _is_litter(name: str) -> bool:
    """What operating systems leave in archives."""
    parts = PurePosixPath(name).parts
    return parts[:1] == ("__MACOSX",) or any(part.startswith(".") for part in parts)


def _common_folder(names: list[str]) -> str:
    """The folder that everything is in, as when a folder was packed instead of its contents."""
    first = {name.partition("/")[0] for name in names}
    if len(first) != 1 or any("/" not in name for name in names):
        return ""
    folder = first.pop()
    return "" if len(folder) == 2 else f"{folder}/"
