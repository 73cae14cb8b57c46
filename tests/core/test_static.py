"""Static files arrive compressed, cached and only from their folder."""

import os

import brotli
import pytest
from werkzeug.test import Client

from hub.core.static import StaticFiles

CSS = b"body { color: black }\n" * 50


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static" / "own.css").write_bytes(CSS)
    (tmp_path / "static" / "big.js").write_bytes(b"plain")
    (tmp_path / "static" / "big.js.br").write_bytes(brotli.compress(b"made ahead of time"))
    (tmp_path / "static" / "font.woff2").write_bytes(b"wOF2")
    return tmp_path / "static"


@pytest.fixture
def client(folder):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"the application"]

    return Client(StaticFiles(application, folder))


def test_other_addresses_reach_the_application(client):
    assert client.get("/tickets/").data == b"the application"


def test_a_compressed_sibling_is_preferred(client):
    answer = client.get("/static/big.js", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert brotli.decompress(answer.data) == b"made ahead of time"


def test_own_files_are_compressed_in_passing(client):
    answer = client.get("/static/own.css", headers={"Accept-Encoding": "br"})
    assert brotli.decompress(answer.data) == CSS
    assert len(answer.data) < len(CSS) / 5


def test_a_changed_file_is_compressed_again(client, folder):
    client.get("/static/own.css", headers={"Accept-Encoding": "br"})
    (folder / "own.css").write_bytes(b"new")
    assert brotli.decompress(client.get("/static/own.css", headers={"Accept-Encoding": "br"}).data) == b"new"


def test_a_sibling_older_than_its_file_is_not_served(client, folder):
    os.utime(folder / "big.js.br", (1, 1))
    answer = client.get("/static/big.js", headers={"Accept-Encoding": "br"})
    assert brotli.decompress(answer.data) == b"plain"


@pytest.mark.parametrize("accepted", ["", "identity", "br;q=0, gzip;q=0"])
def test_who_accepts_no_compression_gets_none(client, accepted):
    answer = client.get("/static/own.css", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == CSS


@pytest.mark.parametrize("encoding", ["", "gzip", "br"])
def test_an_unchanged_file_is_not_sent_again(client, encoding):
    first = client.get("/static/own.css", headers={"Accept-Encoding": encoding})
    again = client.get(
        "/static/own.css", headers={"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_only_an_address_with_a_version_is_kept_for_ever(client):
    assert "immutable" in client.get("/static/own.css?v=1a2b").headers["Cache-Control"]
    assert client.get("/static/own.css").headers["Cache-Control"] == "no-cache"
    assert "max-age" in client.get("/static/font.woff2").headers["Cache-Control"]


def test_answers_differ_by_encoding_for_shared_caches(client):
    assert client.get("/static/own.css").headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", ["../secret.txt", "..%2fsecret.txt", "missing.css", "", "%00"])
def test_nothing_outside_the_folder_is_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_a_write_goes_to_the_application(client):
    assert client.post("/static/own.css").data == b"the application"
