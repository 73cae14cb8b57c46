"""Uploads are what their content says, and hostile ones are refused with a reason."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage

from hub.core.errors import TooLarge
from hub.core.uploads import BadFile, Kind, examine, safe_name


def upload(content: bytes, name: str = "file.png") -> FileStorage:
    return FileStorage(io.BytesIO(content), filename=name)


def picture(fmt: str = "PNG", size: tuple[int, int] = (30, 20), mode: str = "RGB", **options) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 128).save(out, fmt, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises a size; its data is only a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def zipped(names: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("fmt", "mime"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_images_are_known_by_their_content(app, fmt, mime):
    found = examine(upload(picture(fmt), "any.bin"))
    assert (found.mime, found.kind, found.width, found.height) == (mime, Kind.IMAGE, 30, 20)
    assert Image.open(found.stream).size == (30, 20)
    assert found.name.endswith(found.suffix)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_images_of_every_mode_are_written_anew(app, mode):
    assert examine(upload(picture("PNG", mode=mode))).mime == "image/png"


def test_cmyk_photo_is_accepted(app):
    assert examine(upload(picture("JPEG", mode="CMYK"), "a.jpg")).mime == "image/jpeg"


def test_animation_keeps_its_frames(app):
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=50)
    found = examine(upload(out.getvalue(), "a.gif"))
    assert found.kind is Kind.ANIMATED
    assert Image.open(found.stream).n_frames == 3


def test_exif_is_dropped_and_orientation_applied(app):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010E] = "taken at home"
    found = examine(upload(picture("JPEG", exif=exif), "a.jpg"))
    image = Image.open(found.stream)
    assert (found.width, found.height) == image.size == (20, 30)
    assert not image.getexif()
    assert b"taken at home" not in found.stream.getvalue()


def test_what_hides_behind_a_picture_is_dropped(app):
    polyglot = picture("PNG") + b"<script>alert(1)</script>PK\x03\x04"
    found = examine(upload(polyglot))
    assert b"script" not in found.stream.read()


def test_sixty_megapixels_are_refused_before_decoding(app):
    tracemalloc.start()
    with pytest.raises(BadFile, match="50 megapixels"):
        examine(upload(png_claiming(10_000, 6_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_decompression_bomb_is_refused(app):
    with pytest.raises(BadFile, match="megapixels"):
        examine(upload(png_claiming(60_000, 60_000)))


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = {
    "svg": (SVG, "a.svg"),
    "svg as png": (SVG, "a.png"),
    "svg behind a mark": (b"\xef\xbb\xbf\n " + SVG, "a.svg"),
    "html as png": (b"<!doctype html><script>alert(1)</script>", "a.png"),
    "text as png": (b"hello", "a.png"),
    "pdf as png": (b"%PDF-1.7\n", "a.png"),
    "empty": (b"", "a.png"),
    "truncated": (picture("PNG", (300, 200))[:-40], "a.png"),
    "truncated jpeg": (picture("JPEG", (300, 200))[:400], "a.jpg"),
    "header only": (b"\x89PNG\r\n\x1a\n", "a.png"),
    "program": (b"MZ\x90\x00" + b"\x00\xff" * 100, "setup.exe"),
    "bytes": (bytes(range(256)), "a.bin"),
    "damaged zip": (b"PK\x03\x04" + b"x" * 100, "a.zip"),
    "zip with 10,000 entries": (zipped({f"{i}.txt": b"" for i in range(10_000)}), "a.zip"),
    "zip that points outside": (zipped({"../../etc/cron.d/x": b"x"}), "a.zip"),
    "macros": (zipped({"[Content_Types].xml": b"", "word/vbaProject.bin": b"x"}), "a.docx"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a.png"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_hostile_files_are_refused_with_a_reason(app, case):
    with pytest.raises(BadFile) as refused:
        examine(upload(*REFUSED[case]))
    assert str(refused.value.message)


def test_a_zip_of_very_many_entries_is_refused_without_reading_them(app, monkeypatch):
    many = zipped({f"{i}": b"" for i in range(2001)})
    monkeypatch.setattr("hub.core.uploads.zipfile.ZipFile", None)
    with pytest.raises(BadFile, match="2,000 files"):
        examine(upload(many, "a.zip"))


def test_zip_bomb_is_refused_without_unpacking(app):
    bomb = zipped({f"{i}": b"\0" * 30_000_000 for i in range(20)})
    assert len(bomb) < 1_000_000
    with pytest.raises(BadFile, match="500 MB"):
        examine(upload(bomb, "a.zip"))


def test_limit_is_named(app):
    with pytest.raises(TooLarge, match="the limit is 1 KB"):
        examine(upload(picture(size=(900, 900)), "a.png"), limit=1000)


@pytest.mark.parametrize(
    ("content", "name", "kind", "mime"),
    [
        (b"%PDF-1.7\n%\xff\xff\n", "terms.pdf", Kind.DOCUMENT, "application/pdf"),
        ("Привет, {name}".encode(), "письмо.txt", Kind.TEXT, "text/plain"),
        (b"a,b\n1,2\n", "sales.csv", Kind.TEXT, "text/csv"),
        (zipped({"a.txt": b"a"}), "a.zip", Kind.ARCHIVE, "application/zip"),
        (b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 40, "clip.mp4", Kind.VIDEO, "video/mp4"),
    ],
)
def test_other_files_are_accepted(app, content, name, kind, mime):
    found = examine(upload(content, name))
    assert (found.kind, found.mime, found.name) == (kind, mime, name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\banner.png", "banner.png"),
        ("a\x00b\n.png", "ab.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("Баннер  Łódź.png", "Баннер Łódź.png"),
        ("", "file"),
        ("...", "file"),
        ("x" * 500 + ".png", "x" * 100 + ".png"),
        ('a<b>"c|d?.png', "a b c d.png"),
        ("Con.txt", "_Con.txt"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("console.txt", "console.txt"),
    ],
)
def test_names_are_made_harmless(name, expected):
    assert safe_name(name) == expected
