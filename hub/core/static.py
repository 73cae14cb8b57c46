"""Static files: compressed ahead of time or once, and kept by browsers as long as that is safe."""

import gzip
import mimetypes
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import brotli
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header
from werkzeug.security import safe_join
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda data: brotli.compress(data, quality=6),
    "gzip": lambda data: gzip.compress(data, mtime=0),
}
SUFFIXES = {"br": ".br", "gzip": ".gz"}
COMPRESSIBLE = {".css", ".js", ".mjs", ".svg", ".json", ".map", ".txt", ".html"}
YEAR, MONTH = 31_536_000, 2_592_000
WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class StaticFiles:
    """Answers requests below `prefix` from a folder, without waking the application."""

    def __init__(self, application: WSGIApp, folder: Path, prefix: str = "/static/") -> None:
        self.application = application
        self.folder = folder
        self.prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a file below the prefix; hand everything else on."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(self.prefix) or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.application(environ, start_response)
        return self.answer(Request(environ), path.removeprefix(self.prefix))(environ, start_response)

    def answer(self, request: Request, name: str) -> Response:
        """Return the file in the best encoding the browser accepts."""
        joined = safe_join(str(self.folder), name)
        path = Path(joined) if joined else None
        if path is None or not path.is_file():
            return NotFound().get_response(request.environ)
        mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        encoding = best_encoding(request) if path.suffix in COMPRESSIBLE else None
        response = send_encoded(request, path, mimetype, encoding)
        response.headers.update(caching(request, path))
        return response


def best_encoding(request: Request) -> str | None:
    """Return `br` or `gzip`, whichever the browser accepts, the smaller first."""
    accepted = parse_accept_header(request.headers.get("Accept-Encoding"))
    return next((name for name in COMPRESS if accepted[name] > 0), None)


def send_encoded(request: Request, path: Path, mimetype: str, encoding: str | None) -> Response:
    """Send the file, its compressed sibling, or a copy compressed once in this process."""
    if encoding is None:
        return send_file(path, request.environ, mimetype=mimetype)
    sibling = path.with_name(path.name + SUFFIXES[encoding])
    modified = path.stat().st_mtime_ns
    if sibling.is_file() and sibling.stat().st_mtime_ns >= modified:
        response = send_file(sibling, request.environ, mimetype=mimetype)
    else:
        response = Response(compressed(path, modified, encoding), mimetype=mimetype)
        response.set_etag(f"{modified:x}-{encoding}")
        response.make_conditional(request.environ)
    response.headers["Content-Encoding"] = encoding
    return response


@lru_cache(maxsize=128)
def compressed(path: Path, modified: int, encoding: str) -> bytes:
    """Compress a file once per content; `modified` is part of the key."""
    return COMPRESS[encoding](path.read_bytes())


def caching(request: Request, path: Path) -> Headers:
    """Return how long the answer may be kept: for ever when the address names the content (`?v=`)."""
    headers = Headers({"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"})
    if "v" in request.args:
        headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    elif path.suffix == ".woff2":
        headers["Cache-Control"] = f"public, max-age={MONTH}"
    else:
        headers["Cache-Control"] = "no-cache"
    return headers
