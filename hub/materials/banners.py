"""HTML5 banners: a ZIP with an `index.html`, looked into and never unpacked.

A banner is somebody's program. It is shown in a sandbox without an origin, so that it reads no cookie and
reaches no page of the hub, and it may load nothing but what lies in its own ZIP.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from ..core import storage
from ..core.errors import NotFound
from ..core.i18n import _l
from ..core.settings import settings
from ..core.uploads import BadFile
from .models import AssetVersion

FIRST = "index.html"
MOST_FILES, MOST_BYTES = 200, 10_000_000
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
#: What advertising networks ask for: <meta name="ad.size" content="width=300,height=250">.
_META = re.compile(rb"<meta\b[^>]*\bname\s*=\s*[\"']ad\.size[\"'][^>]*>", re.IGNORECASE)
_SIZE = re.compile(rb"width\s*=\s*(\d{1,4})\s*[,;]\s*height\s*=\s*(\d{1,4})", re.IGNORECASE)
#: What the frame on a partner's site may do: run, and open the link in a window of its own.
MAY = "allow-scripts allow-popups allow-popups-to-escape-sandbox"


@dataclass(frozen=True)
class Banner:
    """The size of a banner in pixels."""

    width: int
    height: int


def look(stream: IO[bytes]) -> Banner | None:
    """The banner in a ZIP, None for a ZIP of other files. Raises BadFile for a banner that is not accepted."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            inside = folder(archive)
            if inside is None:
                return None
            _refuse(archive)
            return _measure(archive.read(inside + FIRST))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise
        raise BadFile(_l("The ZIP file is damaged.")) from None
    finally:
        stream.seek(0)


def entry(version: AssetVersion, name: str) -> tuple[bytes, str]:
    """A file of a banner and its type. Only names the ZIP lists are read, so no path leads out of it."""
    kind = TYPES.get(PurePosixPath(name).suffix.lower())
    if kind is None or not version.key:
        raise NotFound
    with storage.open(version.key) as stored, zipfile.ZipFile(stored) as archive:
        try:
            return archive.read((folder(archive) or "") + name), kind
        except KeyError:
            raise NotFound from None


def policy() -> str:
    """The Content-Security-Policy of everything in a banner.

    Its documents have no origin, to which `'self'` could refer, hence the address; and
    `frame-ancestors` lets any site show it, whatever X-Frame-Options says (CSP 3, 7.7.1).
    """
    parts = urlsplit(settings.base_url)
    own = f"{parts.scheme}://{parts.netloc}/b/"
    return (
        f"sandbox {MAY}; default-src 'none'; script-src {own} 'unsafe-inline'; style-src {own} 'unsafe-inline';"
        f" img-src {own} data:; font-src {own} data:; media-src {own}; frame-ancestors *"
    )


def folder(archive: zipfile.ZipFile) -> str | None:
    """Where `index.html` lies: at the top, or in the only folder there is."""
    names = archive.namelist()
    if FIRST in names:
        return ""
    tops = {name.partition("/")[0] for name in names if not name.startswith("__MACOSX/")}
    only = f"{tops.pop()}/" if len(tops) == 1 else ""
    return only if only and only + FIRST in names else None


def _refuse(archive: zipfile.ZipFile) -> None:
    entries = [each for each in archive.infolist() if not each.is_dir()]
    if len(entries) > MOST_FILES or sum(each.file_size for each in entries) > MOST_BYTES:
        raise BadFile(_l("An HTML5 banner has up to %(count)s files and 10 MB.", count=MOST_FILES))
    if any(each.flag_bits & 1 for each in entries):
        raise BadFile(_l("The ZIP file is locked with a password."))
    for each in entries:
        if PurePosixPath(each.filename).suffix.lower() not in TYPES and not each.filename.startswith(
            "__MACOSX/"
        ):
            raise BadFile(
                _l("The banner has a file that is not accepted: %(name)s.", name=each.filename[:80])
            )


def _measure(page: bytes) -> Banner:
    meta = _META.search(page)
    size = _SIZE.search(meta[0]) if meta else None
    if size is None or not int(size[1]) or not int(size[2]):
        raise BadFile(
            _l(
                "index.html does not say its size. Add: %(line)s",
                line='<meta name="ad.size" content="width=300,height=250">',
            )
        )
    return Banner(int(size[1]), int(size[2]))
