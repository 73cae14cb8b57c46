"""Pages are sent compressed: a gallery is 30 KB of HTML, 5 KB on the way to a phone.

Compression beside a secret can betray it (BREACH): whoever makes a browser ask thousands of times for a page that
repeats the asker's words learns the secret from the lengths. Here the asker gets nowhere, for two reasons. The
session cookie is SameSite=Lax, so what another site's page fetches is fetched signed out. And the CSRF token is
signed anew with the time of the request, so the signature to be guessed is another one every second.
"""

import gzip
from collections.abc import Callable

import brotli
from flask import Flask, Response, request

from .settings import Settings
from .static import best_encoding

#: Worth the fifth of a millisecond it takes; a smaller page fits into a network packet as it is.
SMALLEST = 1024
#: Quick levels: the next ones take twice as long for a few per cent.
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda data: brotli.compress(data, quality=4),
    "gzip": lambda data: gzip.compress(data, compresslevel=4, mtime=0),
}


def init_app(app: Flask, _settings: Settings) -> None:
    """Compress every finished page for browsers that accept it. Register it first, so that it acts last."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Return the page compressed; files, streams and what is encoded already stay as they are."""
    if response.mimetype != "text/html" or response.is_streamed or response.direct_passthrough:
        return response
    if response.status_code == 206 or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    encoding = best_encoding(request)
    data = response.get_data()
    if encoding and len(data) >= SMALLEST:
        response.set_data(COMPRESS[encoding](data))
        response.headers["Content-Encoding"] = encoding
        etag, _weak = response.get_etag()
        if etag:
            response.set_etag(etag, weak=True)  # the same page, but not the same bytes
    return response
