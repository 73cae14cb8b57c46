"""Files that come in pieces: the rest follows after whatever broke, one broken file keeps no other from being added."""

import base64
import fcntl
import io
import struct
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select

from hub.core import clock
from hub.core.database import db
from hub.core.settings import settings
from hub.materials import receiving
from hub.materials.models import Asset, Upload

from .factories import make_asset, picture

PIECE = "application/offset+octet-stream"


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def mp4(seconds=83, width=1280, height=720) -> bytes:
    """The head of a film with a track of sound and one of pictures; 2.5 s are 2,500 of 1,000."""
    head = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, int(seconds * 1000)) + bytes(80))
    tracks = [
        box(b"trak", box(b"tkhd", bytes(76) + struct.pack(">II", w << 16, h << 16)))
        for w, h in ((0, 0), (width, height))
    ]
    film = box(b"mdat", bytes(3000)) + box(b"moov", head + b"".join(tracks))
    return box(b"ftyp", b"isom\0\0\2\0isomiso2") + film


def element(name: str, content: bytes, *, length: bytes | None = None) -> bytes:
    return bytes.fromhex(name) + (length or struct.pack(">I", len(content) | 0x10000000)) + content


def webm(seconds=12.5, width=640, height=360) -> bytes:
    info = element("2AD7B1", b"\x0f\x42\x40") + element("4489", struct.pack(">d", seconds * 1000))
    video = element("B0", struct.pack(">H", width)) + element("BA", struct.pack(">H", height))
    tracks = element("AE", element("E0", video))
    head = element("1549A966", info) + element("1654AE6B", tracks) + element("1F43B675", bytes(50))
    # Its length was not known when it was written: all ones.
    return element("1A45DFA3", element("4282", b"webm")) + element(
        "18538067", head, length=b"\x01" + b"\xff" * 7
    )


@pytest.fixture
def send(browse, manager):
    """A manager's browser that speaks the protocol."""
    browser = browse(manager)

    class Sender:
        def begin(self, name: str, size: int, **more):
            named = f"filename {base64.b64encode(name.encode()).decode()}"
            headers = {"Upload-Length": str(size), "Upload-Metadata": named}
            return browser.post("/materials/uploads", headers=headers, **more)

        def piece(self, url: str, offset: int, data: bytes, **more):
            headers = {"Upload-Offset": str(offset)}
            return browser.patch(url, data=data, headers=headers, content_type=PIECE, **more)

        def whole(self, name: str, data: bytes) -> dict:
            url = self.begin(name, len(data)).location
            assert self.piece(url, 0, data).status_code == 204
            return browser.get(url).json

        def add(self, *files: dict, **facts):
            tokens = [file["token"] for file in files]
            form = {"upload": tokens, "visibility": "all", "is_published": "y", **facts}
            return browser.post("/materials/", data=form)

    sender = Sender()
    sender.browser = browser
    return sender


def test_the_rest_follows_after_a_broken_line(send):
    film = mp4() + bytes(200_000)
    begun = send.begin("Фильм.mp4", len(film))
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, "0")
    url = begun.location
    # The line breaks in the middle of a piece: what came counts.
    cut = {"CONTENT_LENGTH": "100000", "wsgi.input": io.BytesIO(film[:70_000])}
    send.piece(url, 0, b"", environ_overrides=cut)
    db.session.remove()
    there = send.browser.head(url)
    assert (there.headers["Upload-Offset"], there.headers["Upload-Length"]) == ("70000", str(len(film)))
    assert send.piece(url, 100_000, film[100_000:]).status_code == 409
    assert send.piece(url, 0, film).status_code == 409
    page = send.browser.get("/materials/new").text
    assert "Фильм.mp4" in page
    assert "70 KB have come" in page
    assert send.piece(url, 70_000, film[70_000:]).headers["Upload-Offset"] == str(len(film))
    known = send.browser.get(url).json
    assert (known["state"], known["duration_ms"], known["width"]) == ("ready", 83_000, 1280)
    send.add(known)
    asset = db.session.scalars(select(Asset)).one()
    assert (asset.title, asset.current.size, asset.current.duration_ms) == ("Фильм", len(film), 83_000)
    assert send.browser.get(f"/materials/{asset.id}/download").data == film
    assert not list((settings.home / receiving.FOLDER).iterdir())


def test_one_broken_file_is_named_and_the_rest_is_kept(send):
    files = [
        send.whole("a.png", picture(color="red")),
        send.whole("b.png", picture()[:60]),
        send.whole("page.png", b"<svg onload=alert(1)>"),
        send.whole("c.webm", webm()),
    ]
    assert [file["state"] for file in files] == ["ready", "refused", "refused", "ready"]
    assert "damaged" in files[1]["error"]
    page = send.add(files[0], files[3], tags="spring").text
    assert page.count(">Refused<") == 2
    assert [(each.title, each.tags) for each in db.session.scalars(select(Asset).order_by(Asset.id))] == [
        ("A", ["spring"]), ("C", ["spring"]),
    ]  # fmt: skip
    assert db.session.scalars(select(Upload)).all() == []


def test_a_stop_between_the_last_piece_and_its_note_loses_nothing(send, monkeypatch):
    data = picture() + b"something behind it"
    url = send.begin("a.png", len(data)).location

    def stopped(*_args):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "settle", stopped)
        with pytest.raises(RuntimeError):
            send.piece(url, 0, data)
    db.session.remove()
    known = send.browser.get(url).json
    assert (known["state"], known["received"], known["width"]) == ("ready", len(data), 300)
    send.add(known)
    asset = db.session.scalars(select(Asset)).one()
    assert b"behind" not in send.browser.get(f"/materials/{asset.id}/download").data
    assert not list((settings.home / receiving.FOLDER).iterdir())


def test_a_new_version_comes_in_pieces_too(send, cast):
    asset = make_asset(cast.manager)
    db.session.commit()
    wide, film = send.whole("wide.png", picture((728, 90))), send.whole("film.mp4", mp4())
    page = send.browser.get(f"/materials/{asset.id}/edit").text
    assert 'data-uploads="/materials/uploads"' in page
    door = f"/materials/{asset.id}/versions"
    assert send.browser.post(door, data={"upload": film["token"]}).status_code == 422
    assert send.browser.post(door, data={"upload": wide["token"]}).status_code == 303
    db.session.expire_all()
    assert (asset.current.number, asset.size) == (2, "728 × 90")
    assert [each.name for each in db.session.scalars(select(Upload))] == ["film.mp4"]


def test_a_book_is_no_ready_text(send):
    known = send.whole("book.txt", b"word " * 20_001)
    assert known["state"] == "refused"
    assert "100" in known["error"]


def test_a_twin_is_announced_and_a_second_press_adds_nothing(send, cast):
    make_asset(cast.manager, title="Known", content=picture(color="navy"))
    db.session.commit()
    file = send.whole("again.png", picture(color="navy"))
    assert file["twin"]["title"] == "Known"
    assert "Known" in send.browser.get("/materials/new").text
    assert send.whole("once more.png", picture(color="navy"))["earlier"] == "again.png"
    for _press in range(2):
        send.add(file)
    assert len(db.session.scalars(select(Asset)).all()) == 2


def test_no_more_comes_than_was_announced(send, monkeypatch):
    url = send.begin("a.txt", 4).location
    assert send.piece(url, 0, b"too long").status_code == 413
    assert send.begin("film.mp4", 501_000_000).status_code == 413
    assert send.begin("film.mp4", -1).status_code == 400
    monkeypatch.setattr(receiving, "MOST", 1)
    assert send.begin("b.txt", 4).status_code == 409


def test_two_do_not_write_at_once(send):
    url = send.begin("a.txt", 4).location
    send.piece(url, 0, b"ab")
    with (settings.home / receiving.FOLDER / url.rpartition("/")[2]).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert send.piece(url, 2, b"cd").status_code == 423
    assert send.piece(url, 2, b"cd").status_code == 204


def test_what_nobody_adds_is_thrown_away(send):
    old, young = send.begin("old.txt", 9).location, send.begin("young.txt", 9).location
    for url in (old, young):
        send.piece(url, 0, b"some")
    with clock.frozen(clock.now() + receiving.PATIENCE - timedelta(hours=1)):
        send.piece(young, 4, b"m")
    with clock.frozen(clock.now() + receiving.PATIENCE + timedelta(minutes=1)):
        assert receiving.clean() == 1
    assert send.browser.get(old).status_code == 404
    assert [path.name for path in (settings.home / receiving.FOLDER).iterdir()] == [young.rpartition("/")[2]]
    assert send.browser.delete(young).status_code == 204
    assert not list((settings.home / receiving.FOLDER).iterdir())


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "content", "facts"),
    [
        ("a.mp4", mp4(2.5, 320, 240), (2500, 320, 240)),
        ("a.webm", webm(), (12_500, 640, 360)),
        ("cut.webm", webm()[:40], (None, None, None)),
        ("odd.mp4", mp4(0, 65_000, 0)[:-20] + b"\0\0\0\1moov\xff\xff\xff\xff", (None, None, None)),
    ],
)
def test_a_video_says_how_long_and_large_it_is(send, name, content, facts):
    known = send.whole(name, content)
    assert (known["duration_ms"], known["width"], known["height"]) == facts


@pytest.mark.once
def test_an_animation_is_known_and_measured(send):
    out = io.BytesIO()
    frames = [Image.new("RGB", (30, 20), color) for color in ("red", "green", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 700])
    known = send.whole("moves.gif", out.getvalue())
    assert (known["kind"], known["duration_ms"]) == ("animated", 1000)
