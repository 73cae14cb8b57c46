"""Files are kept under their content's name, whole or not at all, and never run in our name."""

import io
import os
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from flask import Response

from hub.core import storage
from hub.core.database import db
from hub.core.errors import NotFound, TooLarge
from tests.materials.factories import gold_asset

CONTENT = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def bucket():
    """Address of an S3 bucket on a server of our own."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="hub-files")
    yield f"s3://key:secret@hub-files/under?endpoint={endpoint}"
    server.stop()


@pytest.fixture(params=["local", "s3"])
def place(request, app, tmp_path, monkeypatch):
    """Both kinds of storage, one after the other."""
    url = f"file://{tmp_path}/files" if request.param == "local" else request.getfixturevalue("bucket")
    kept = storage.from_url(url)
    monkeypatch.setitem(app.extensions, "hub.storage", kept)
    return kept


def put(content: bytes = CONTENT) -> storage.Stored:
    return storage.store(io.BytesIO(content), limit=1_000_000)


def sent(app, stored, headers=None, method="GET", **values) -> Response:
    values = {"filename": "a.png", "mimetype": "image/png"} | values
    with app.test_request_context(headers=headers, method=method):
        response = storage.send(stored.key, **values)
        response.direct_passthrough = False
        return response


def test_what_is_stored_comes_back(place):
    stored = put()
    assert stored.size == len(CONTENT)
    assert storage.open(stored.key).read() == CONTENT
    assert put().key == stored.key


def test_deleted_files_are_gone(place):
    stored = put(b"to be deleted")
    storage.delete(stored.key)
    storage.delete(stored.key)
    assert not storage.exists(stored.key)
    with pytest.raises(NotFound):
        storage.open(stored.key)


def test_missing_file_is_not_found(place, app):
    with app.test_request_context(), pytest.raises(NotFound):
        storage.send("00/00/" + "0" * 64, filename="a", mimetype="image/png")


def test_too_large_leaves_nothing(place, app):
    with pytest.raises(TooLarge, match="1 KB"):
        storage.store(io.BytesIO(b"x" * 1001), limit=1000)
    assert os.listdir(app.extensions["hub.settings"].home / "uploads") == []


def test_answers_have_ranges_and_etags(place, app):
    stored = put()
    whole = sent(app, stored)
    assert (whole.status_code, whole.data, whole.content_length) == (200, CONTENT, len(CONTENT))
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = sent(app, stored, {"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, CONTENT[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(CONTENT)}"
    assert sent(app, stored, {"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert sent(app, stored, method="HEAD").content_length == len(CONTENT)


@pytest.mark.parametrize(
    ("mimetype", "disposition", "sandboxed"),
    [
        ("image/png", "inline", False),
        ("application/pdf", "inline", True),
        ("text/html", "attachment", True),
        ("image/svg+xml", "attachment", True),
    ],
)
def test_only_harmless_types_open_in_the_browser(place, app, mimetype, disposition, sandboxed):
    response = sent(app, put(), mimetype=mimetype, inline=True)
    assert response.headers["Content-Disposition"].startswith(disposition)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert ("sandbox" in response.headers.get("Content-Security-Policy", "")) is sandboxed


@pytest.mark.once
def test_a_signed_address_is_for_whom_may_see_it_and_ends(
    bucket, app, cast, browse, partner, other_partner, monkeypatch
):
    monkeypatch.setitem(app.extensions, "hub.storage", storage.from_url(f"{bucket}&signed=60"))
    asset = gold_asset(cast)
    db.session.commit()
    url, browser = f"/materials/{asset.id}/download", browse(partner)
    assert browse(other_partner).get(url).status_code == 404
    for _again in range(2):
        answer = browser.get(url)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
        said = parse_qs(urlsplit(answer.location).query)
        assert (said["X-Amz-Expires"], said["X-Amz-Algorithm"]) == (["60"], ["AWS4-HMAC-SHA256"])
        with urlopen(answer.location, timeout=30) as file, storage.open(asset.current.key) as kept:
            assert file.read() == kept.read()
            assert file.headers["Content-Disposition"] == "attachment; filename=gold.png"
    cast.acme.tier_id = cast.other_org.tier_id
    db.session.commit()
    assert browser.get(url).status_code == 404


def test_names_of_any_language_survive(place, app):
    disposition = sent(app, put(), filename="Баннер Łódź.png").headers["Content-Disposition"]
    assert "filename*=UTF-8''%D0%91%D0%B0%D0%BD%D0%BD%D0%B5%D1%80%20%C5%81%C3%B3d%C5%BA.png" in disposition
    injected = sent(app, put(), filename='a"\r\nSet-Cookie: x=1.png').headers
    assert "Set-Cookie" not in injected


def test_keys_never_leave_the_folder(tmp_path):
    (tmp_path / "secret").write_text("x")
    local = storage.LocalStorage(tmp_path / "files")
    for key in ("../secret", "/etc/passwd", "a/../../secret"):
        with pytest.raises(NotFound):
            local.open(key)


def test_unknown_kind_of_storage_is_refused():
    with pytest.raises(ValueError, match="HUB_STORAGE_URL"):
        storage.from_url("ftp://somewhere")
