"""Pages travel compressed."""

import gzip

import brotli
import pytest
from flask import Flask, Response, stream_with_context

from hub.core import compress

PAGE = "<p>A long page.</p>" * 100


@pytest.fixture
def client():
    app = Flask(__name__)
    app.after_request(compress.compress)
    app.add_url_rule("/page", view_func=lambda: PAGE, endpoint="page")
    app.add_url_rule("/short", view_func=lambda: "<p>Short.</p>", endpoint="short")
    app.add_url_rule("/data", view_func=lambda: {"text": PAGE}, endpoint="data")
    app.add_url_rule("/encoded", view_func=lambda: Response(PAGE, headers={"Content-Encoding": "x"}))
    app.add_url_rule("/tagged", view_func=tagged)
    app.add_url_rule("/stream", view_func=stream)
    return app.test_client()


def tagged():
    response = Response(PAGE)
    response.set_etag("one")
    return response


def stream():
    return stream_with_context(piece for piece in [PAGE])


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpack"),
    [("gzip", "gzip", gzip.decompress), ("gzip, br", "br", brotli.decompress)],
)
def test_a_page_is_sent_in_the_best_encoding_the_browser_accepts(client, accepted, encoding, unpack):
    answer = client.get("/page", headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == encoding
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert len(answer.data) < len(PAGE) / 5
    assert unpack(answer.data).decode() == PAGE


@pytest.mark.parametrize("accepted", ["", "identity", "br;q=0, gzip;q=0"])
def test_a_browser_that_accepts_nothing_gets_the_page_itself(client, accepted):
    answer = client.get("/page", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.text == PAGE
    assert "Accept-Encoding" in answer.vary  # a cache between must not hand it to others


@pytest.mark.parametrize("path", ["/short", "/data", "/stream"])
def test_short_pages_streams_and_other_types_stay_as_they_are(client, path):
    answer = client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_what_is_encoded_already_is_not_encoded_twice(client):
    answer = client.get("/encoded", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] == "x"
    assert answer.text == PAGE


def test_a_tag_of_exact_bytes_becomes_one_of_the_same_content(client):
    assert client.get("/tagged", headers={"Accept-Encoding": "br"}).get_etag() == ("one", True)


def test_the_hubs_own_pages_are_compressed(app):
    answer = app.test_client().get("/sign-in", headers={"Accept-Encoding": "gzip"})
    assert b"<!doctype html>" in gzip.decompress(answer.data)
