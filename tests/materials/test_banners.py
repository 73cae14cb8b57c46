"""HTML5 banners run in a sandbox, from their ZIP, and hostile ones are refused."""

import io
import re
import zipfile

import pytest
from PIL import Image

from hub.core.database import db
from hub.core.errors import HubError
from hub.core.uploads import BadFile
from hub.materials import service
from hub.materials.models import Kind, Visibility

from .factories import gold_asset, make_asset, picture, upload

INDEX = (
    b'<!doctype html><meta name="ad.size" content="width=300,height=250"><script src="js/play.js"></script>'
)


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


BANNER = zipped(**{"index.html": INDEX, "js/play.js": b"play()", "art.png": picture()})


@pytest.fixture
def banner(cast):
    asset = make_asset(cast.manager, title='Play "now"', content=BANNER, name="play.zip")
    db.session.commit()
    return asset


def test_a_zip_with_an_index_is_a_banner_of_its_size(banner):
    assert (banner.kind, banner.size) == (Kind.HTML, "300 × 250")


def test_a_banner_may_lie_in_a_folder(cast, client):
    content = zipped(**{"play/index.html": INDEX, "play/js/play.js": b"play()", "__MACOSX/x": b""})
    asset = make_asset(cast.manager, content=content, name="play.zip")
    db.session.commit()
    assert asset.kind is Kind.HTML
    assert client.get(f"/b/{asset.public_id}/js/play.js").data == b"play()"


def test_other_zips_stay_documents(cast):
    assert (
        make_asset(cast.manager, content=zipped(**{"logo.svg": b"<svg/>"}), name="logos.zip").kind
        is Kind.DOCUMENT
    )


def test_a_banner_is_shown_in_a_sandbox(banner, client):
    page = client.get(f"/b/{banner.public_id}/index.html")
    assert (page.status_code, page.data, page.mimetype) == (200, INDEX, "text/html")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "frame-ancestors *" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    script = client.get(f"/b/{banner.public_id}/js/play.js")
    assert (script.data, script.mimetype) == (b"play()", "text/javascript")
    assert script.headers["Content-Security-Policy"] == policy


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..%2f..%2fhub.db",
        "js/../index.html",
        "nothing.js",
        "index.php",
        "js",
        "art.png%00.html",
    ],
)
def test_nothing_else_is_served(banner, client, name):
    assert client.get(f"/b/{banner.public_id}/{name}").status_code in (400, 404)


def test_the_code_is_a_frame_with_the_callers_link(banner, browse, partner):
    page = browse(partner).get(f"/materials/{banner.id}")
    code = re.search(r'data-copy="(&lt;iframe[^"]*)"', page.text)[1]
    assert (
        f"/b/for/ACME/{banner.public_id}/index.html?clickTag=http%3A%2F%2F127.0.0.1%3A8000%2Fgo%2FACME%2F{banner.public_id}"
        in code
    )
    assert "Play &amp;amp;#34;now&amp;amp;#34;" in code or "Play &amp;quot;now&amp;quot;" in code
    assert "width=&#34;300&#34; height=&#34;250&#34;" in code
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_banner_that_is_over_shows_nothing(banner, client):
    banner.status = "archived"
    db.session.commit()
    page = client.get(f"/b/{banner.public_id}/index.html")
    assert (page.status_code, page.data) == (200, b"")


def test_another_takes_its_place_at_every_level(cast, banner, browse, manager, client):
    other = zipped(**{"index.html": INDEX + b"other", "js/play.js": b"other()"})
    new = make_asset(cast.manager, content=other, name="new.zip")
    gold_asset(cast)
    db.session.commit()
    facts = {"title": "Old", "visibility": "chosen", "reader_tiers": ["gold"], "valid_until": "2020-01-31"}
    browser, picture = browse(manager), make_asset(cast.manager)
    db.session.commit()
    edit = f"/materials/{banner.id}"
    assert browser.post(edit, data=facts | {"replacement": picture.id}).status_code == 422
    assert browser.post(edit, data=facts | {"replacement": new.id}).status_code == 303
    for door in (f"/b/for/ACME/{banner.public_id}", f"/b/for/OTHER/{banner.public_id}"):
        assert client.get(f"{door}/index.html").data == INDEX + b"other"
        assert client.get(f"{door}/js/play.js").data == b"other()"


def test_a_banner_of_a_level_is_that_levels(cast, client):
    gold_asset(cast)
    asset = make_asset(
        cast.manager, content=BANNER, name="gold.zip", visibility=Visibility.CHOSEN, readers=["tier:gold"]
    )
    db.session.commit()
    assert client.get(f"/b/for/ACME/{asset.public_id}/index.html").status_code == 200
    for door in (
        f"/b/{asset.public_id}",
        f"/b/for/OTHER/{asset.public_id}",
        f"/b/for/NOBODY/{asset.public_id}",
    ):
        assert client.get(f"{door}/index.html").status_code == 404


# --- Hostile ---------------------------------------------------------------


def bomb() -> bytes:
    return zipped(**{"index.html": INDEX, "big.json": b"0" * 11_000_000})


def polyglot() -> bytes:
    """A picture that is also a page."""
    out = io.BytesIO()
    Image.new("RGB", (30, 30)).save(out, "GIF")
    return out.getvalue() + b"<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("x.png", b"<!doctype html><script>alert(1)</script>"),
        ("x.html", INDEX),
        ("x.zip", bomb()),
        ("x.zip", zipped(**{"index.html": INDEX, "run.php": b"<?php"})),
        ("x.zip", zipped(**{"index.html": b"<p>no size</p>"})),
        ("x.zip", zipped(**{"index.html": INDEX, "../../outside.js": b"x"})),
        ("x.zip", zipped(**{f"{number}.js": b"" for number in range(10_000)} | {"index.html": INDEX})),
        ("x.zip", BANNER[:200]),
    ],
    ids=["svg", "html as png", "html", "bomb", "php", "no size", "traversal", "10,000 entries", "damaged"],
)
def test_hostile_files_are_refused(app, name, content):
    with pytest.raises((BadFile, HubError)):
        service.keep(upload(content, name))


def test_what_hides_behind_a_picture_is_gone(app):
    examined, _stored = service.keep(upload(polyglot(), "x.gif"))
    assert b"script" not in examined.stream.getvalue()
