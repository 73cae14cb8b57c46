"""What an uploaded file really is, whatever its name says.

Types are read from the content. Images are decoded and written anew, which
drops EXIF, comments and anything hidden behind the picture. What a browser
could run (SVG, HTML) is only ever sent as an attachment.
"""

import io
import re
import unicodedata
import warnings
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from . import movies
from .errors import Invalid, TooLarge
from .i18n import Text, _l, filesize, number
from .settings import settings

MEGAPIXELS = 50
FRAMES = 600
#: Of a ZIP, and how many bytes they are listed in.
ENTRIES, DIRECTORY = 2000, 1_000_000
_TOO_MUCH = _l("The ZIP file would unpack to more than 2,000 files or 500 MB.")
#: Pixels of all frames of an animation together, decoded.
ANIMATION_PIXELS = 400_000_000
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


class Kind(StrEnum):
    IMAGE = "image"
    ANIMATED = "animated"
    VIDEO = "video"
    DOCUMENT = "document"
    TEXT = "text"
    ARCHIVE = "archive"


#: Types that are accepted besides images, and the ending each gets.
TYPES: dict[str, tuple[Kind, str]] = {
    "image/png": (Kind.IMAGE, ".png"),
    "image/jpeg": (Kind.IMAGE, ".jpg"),
    "image/webp": (Kind.IMAGE, ".webp"),
    "image/gif": (Kind.IMAGE, ".gif"),
    "video/mp4": (Kind.VIDEO, ".mp4"),
    "video/webm": (Kind.VIDEO, ".webm"),
    "application/pdf": (Kind.DOCUMENT, ".pdf"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (Kind.DOCUMENT, ".docx"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (Kind.DOCUMENT, ".xlsx"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (Kind.DOCUMENT, ".pptx"),
    "application/zip": (Kind.ARCHIVE, ".zip"),
    "text/plain": (Kind.TEXT, ".txt"),
    "text/csv": (Kind.TEXT, ".csv"),
    "text/markdown": (Kind.TEXT, ".md"),
}
_TEXT_ENDINGS = {".csv": "text/csv", ".md": "text/markdown"}


#: Names that Windows gives no file, whatever their ending.
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9¹²³]|con(in|out)\$", re.IGNORECASE)


class BadFile(Invalid):
    message = _l("This file cannot be accepted.")


@dataclass(frozen=True)
class Examined:
    """A file worth keeping: its safe name, its true type, and its content ready to be stored."""

    name: str
    mime: str
    kind: Kind
    size: int
    stream: IO[bytes]
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None  # of videos and animations

    @property
    def suffix(self) -> str:
        return TYPES[self.mime][1]


def examine(file: Any, *, limit: int | None = None) -> Examined:
    """Find out what `file` (a FileStorage) is; raises TooLarge or BadFile with the reason.

    `limit` is in bytes; without it the setting `max_upload_mb` counts.
    """
    limit = limit or settings.max_upload_mb * 1_000_000
    stream = file.stream
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    name = safe_name(file.filename or "")
    if size > limit:
        raise TooLarge(
            _l("The file is %(size)s; the limit is %(limit)s.", size=filesize(size), limit=filesize(limit))
        )
    if size == 0:
        raise BadFile(_l("The file is empty."))
    mime = _true_type(stream, name)
    if mime.startswith("image/"):
        return _image(stream, name)
    kind, suffix = TYPES[mime]
    stream.seek(0)
    movie = movies.measure(stream, mime) if kind is Kind.VIDEO else movies.Movie()
    return Examined(
        _with_suffix(name, suffix), mime, kind, size, stream, movie.width, movie.height, movie.duration_ms
    )


def safe_name(name: str) -> str:
    """A file's name without folders, control and direction characters, and of sensible length."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(
        c for c in name if c.isprintable() and unicodedata.category(c) not in ("Cf", "Cc", "Co", "Cs")
    )
    name = re.sub(r'[<>:"|?*%\s]+', " ", name).strip(" .")
    name = f"_{name}" if _DEVICE.fullmatch(name.partition(".")[0].strip()) else name
    stem, dot, ending = name.rpartition(".")
    if not dot:
        return name[:100] or "file"
    return f"{stem[:100].strip(' .') or 'file'}.{ending[:10]}"


def _true_type(stream: IO[bytes], name: str) -> str:
    head = stream.read(4096)
    stream.seek(0)
    mime = _by_signature(head) or _zipped(stream, head) or _as_text(stream, head, name)
    if mime is None:
        raise BadFile(
            _l(
                "Files of this type are not accepted. Accepted: PNG, JPEG, GIF, WebP, MP4, WebM, PDF, Office files, ZIP and text."
            )
        )
    _refuse_lying_name(name, mime)
    return mime


def _by_signature(head: bytes) -> str | None:
    """The type by the first bytes; the beginning alone counts, so a polyglot is what it starts as."""
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[4:8] == b"ftyp" and head[8:12] not in (b"heic", b"heix", b"avif", b"mif1"):
        return "video/mp4"
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")) or (
        head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    ):
        return "image/png"  # some raster image; the decoder says which
    if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head[:64]:
        return "video/webm"
    return None


def _zipped(stream: IO[bytes], head: bytes) -> str | None:
    """Office files are ZIPs; the list of entries tells, nothing is unpacked."""
    if not head.startswith(b"PK\x03\x04"):
        return None
    try:
        _refuse_many(stream)
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise BadFile(_l("The ZIP file is damaged.")) from None
    finally:
        stream.seek(0)
    if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > 500_000_000:
        raise BadFile(_TOO_MUCH)
    names = {entry.filename for entry in entries}
    if any(one.startswith("/") or ".." in one.replace("\\", "/").split("/") for one in names):
        raise BadFile(_l("The ZIP file has entries that point outside of it."))
    if any("vbaProject" in one for one in names):
        raise BadFile(_l("Office files with macros are not accepted."))
    for part, kind in (
        ("word/", "wordprocessingml.document"),
        ("xl/", "spreadsheetml.sheet"),
        ("ppt/", "presentationml.presentation"),
    ):
        if "[Content_Types].xml" in names and any(one.startswith(part) for one in names):
            return "application/vnd.openxmlformats-officedocument." + kind
    return "application/zip"


def _refuse_many(stream: IO[bytes]) -> None:
    """Look at the end of a ZIP first: half a million entries are not read to be counted."""
    end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]  # as ZipFile itself finds it
    if end and (end[zipfile._ECD_ENTRIES_TOTAL] > ENTRIES or end[zipfile._ECD_SIZE] > DIRECTORY):  # type: ignore[attr-defined]
        raise BadFile(_TOO_MUCH)


def _as_text(stream: IO[bytes], head: bytes, name: str) -> str | None:
    data = stream.read()
    stream.seek(0)
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if b"\x00" in data:
        return None
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise BadFile(
            _l(
                "SVG, HTML and XML files are not accepted: they can carry scripts. Save the picture as PNG or WebP."
            )
        )
    return _TEXT_ENDINGS.get("." + name.rpartition(".")[2].lower(), "text/plain")


def _refuse_lying_name(name: str, mime: str) -> None:
    """`report.exe` that is text, or `banner.png` that is a PDF: someone is mistaken, or worse."""
    _stem, dot, ending = name.rpartition(".")
    known = {suffix.lstrip("."): of for of, (_kind, suffix) in TYPES.items()} | {"jpeg": "image/jpeg"}
    claimed = known.get(ending.lower()) if dot else None
    if claimed and claimed.partition("/")[0] != mime.partition("/")[0]:
        raise BadFile(_l("The file is named .%(ending)s but is not one.", ending=ending.lower()))


def _with_suffix(name: str, suffix: str) -> str:
    stem, dot, _ending = name.rpartition(".")
    return f"{stem if dot else name}{suffix}"


# --- Images ----------------------------------------------------------------


def _image(stream: IO[bytes], name: str) -> Examined:
    damaged: Text = _l("The image is damaged or incomplete.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(stream, formats=list(_FORMATS))
            _refuse_huge(image)
            data, width, height, kind = _anew(image)
            lasts = _lasts(image) if kind is Kind.ANIMATED else None
    except Image.DecompressionBombError:
        raise BadFile(_too_many_pixels()) from None
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        TypeError,
    ) as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise
        raise BadFile(damaged) from error
    mime = _FORMATS[image.format or ""]
    return Examined(
        _with_suffix(name, TYPES[mime][1]), mime, kind, len(data), io.BytesIO(data), width, height, lasts
    )


def _refuse_huge(image: Image.Image) -> None:
    """Only the header has been read so far: a bomb is refused before it goes off."""
    pixels = image.width * image.height
    frames = getattr(image, "n_frames", 1) if pixels <= MEGAPIXELS * 1_000_000 else 1
    if pixels > MEGAPIXELS * 1_000_000:
        raise BadFile(_too_many_pixels(image.width, image.height))
    if frames > FRAMES or pixels * frames > ANIMATION_PIXELS:
        raise BadFile(_l("The animation is too long: %(frames)s frames.", frames=number(frames)))


def _too_many_pixels(width: int = 0, height: int = 0) -> Text:
    if not width:
        return _l("The image has more than %(limit)s megapixels.", limit=MEGAPIXELS)
    return _l(
        "The image has %(width)s × %(height)s pixels; the limit is %(limit)s megapixels.",
        width=width,
        height=height,
        limit=MEGAPIXELS,
    )


def _lasts(image: Image.Image) -> int:
    """How long an animation takes to come round, in milliseconds."""
    return round(sum(frame.info.get("duration", 100) for frame in ImageSequence.Iterator(image)))


def _anew(image: Image.Image) -> tuple[bytes, int, int, Kind]:
    """The picture decoded and written again in its own format, upright and without metadata."""
    out = io.BytesIO()
    if getattr(image, "is_animated", False):
        frames = [frame.copy() for frame in ImageSequence.Iterator(image)]
        frames[0].save(
            out, image.format, save_all=True, append_images=frames[1:], loop=image.info.get("loop", 0),
            duration=[frame.info.get("duration", 100) for frame in frames], disposal=2 if image.format == "GIF" else None,
        )  # fmt: skip
        return out.getvalue(), image.width, image.height, Kind.ANIMATED
    image.load()
    upright = ImageOps.exif_transpose(image)
    icc = image.info.get("icc_profile")  # colours are part of the picture
    upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
    options: dict[str, Any] = {"icc_profile": icc} if icc else {}
    if image.format == "JPEG":
        options |= {"quality": 90, "optimize": True}
    elif image.format == "WEBP":
        options |= {"quality": 90, "method": 4}
    elif image.format == "PNG":
        options |= {"optimize": upright.width * upright.height <= 2_000_000}
    upright.save(out, image.format, exif=b"", **options) if image.format != "GIF" else upright.save(
        out, "GIF"
    )
    return out.getvalue(), upright.width, upright.height, Kind.IMAGE


#: What an image of ours may say of itself besides its pixels.
_BARE = {
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "icc_profile", "transparency", "loop", "duration",
    "background", "version", "gamma", "progressive", "progression", "default_image", "bbox", "timestamp", "extension",
    "interlace",
}  # fmt: skip
_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "GIF": b";", "WEBP": b""}


def is_bare(data: bytes) -> bool:
    """Is this image, which `examine` has accepted, as if we had written it: nothing in it or behind it but pixels?"""
    with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
        name, facts = image.format or "", set(image.info)
    if name == "WEBP" and int.from_bytes(data[4:8], "little") + 8 not in (len(data), len(data) - 1):
        return False
    return facts <= _BARE and data.endswith(_ENDS[name])
