"""Where files live: a local folder or S3, named by their content.

The same content is kept once; `key` comes from its SHA-256 and never from a
person's file name. Rows that point to a key decide who may see it.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from flask import Flask, Response, current_app, request
from werkzeug.datastructures import ContentRange, Headers
from werkzeug.utils import send_file

from .errors import NotFound, TooLarge
from .i18n import _l, filesize
from .settings import Settings

CHUNK = 1 << 18
#: What may be shown inside a page of ours; everything else is saved, not opened.
INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm", "application/pdf"}
SANDBOX = "default-src 'none'; sandbox"


@dataclass(frozen=True)
class Stored:
    """A file that is kept: `key` names it in the storage, `size` is in bytes.

    `is_new`: nothing of this content was there before.
    """

    key: str
    sha256: str
    size: int
    is_new: bool = True


class Storage(Protocol):
    """A place for files: `keep` moves a finished temporary file there."""

    def keep(self, path: Path, key: str) -> None: ...
    def open(self, key: str) -> IO[bytes]: ...
    def delete(self, key: str) -> None: ...
    def exists(self, key: str) -> bool: ...
    def respond(self, key: str, mimetype: str) -> Response: ...
    def signed(self, key: str, filename: str, mimetype: str) -> str | None: ...


def store(stream: IO[bytes], *, limit: int) -> Stored:
    """Keep what `stream` holds from its present position; raises TooLarge beyond `limit` bytes.

    Nothing is visible under its key before it is complete on disk. Content
    that is already there is not written again.
    """
    digest, size = hashlib.sha256(), 0
    with _temporary() as (path, target):
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise TooLarge(_l("The file is larger than %(limit)s.", limit=filesize(limit)))
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
        name = digest.hexdigest()
        key = f"{name[:2]}/{name[2:4]}/{name}"
        is_new = not _storage().exists(key)
        if is_new:
            _storage().keep(path, key)
    return Stored(key, name, size, is_new)


def open(key: str) -> IO[bytes]:
    """The file's content; raises NotFound when there is none."""
    return _storage().open(key)


def delete(key: str) -> None:
    """Forget a file; one that is not there is fine. The caller knows that no other row needs it."""
    _storage().delete(key)


def exists(key: str) -> bool:
    return _storage().exists(key)


def send(key: str, *, filename: str, mimetype: str, inline: bool = False) -> Response:
    """Answer the present request with a file: ranges, ETag, and no way to run anything from it.

    `inline` is a wish: types a browser might execute are always saved instead. What is to be saved may
    come from the storage itself, by an address that is signed for a minute.
    """
    shown = inline and mimetype in INLINE
    if not shown and (address := _storage().signed(key, filename, mimetype)):
        response = Response(status=302, headers={"Location": address, "Cache-Control": "no-store"})
        return response
    response = _storage().respond(key, mimetype)
    response.headers.set("Content-Disposition", "inline" if shown else "attachment", **disposition(filename))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "private, no-cache")
    if not mimetype.startswith("image/") or not shown:
        response.headers["Content-Security-Policy"] = SANDBOX
    return response


def disposition(filename: str) -> dict[str, str]:
    """Parameters of Content-Disposition after RFC 5987: the name in UTF-8, and an ASCII one for old programs."""
    clean = "".join(c for c in filename if c.isprintable() and c not in '"\\/') or "file"
    plain = clean.encode("ascii", "ignore").decode().strip(" .-_") or "file" + Path(clean).suffix
    if plain == clean:
        return {"filename": clean}
    return {"filename": plain, "filename*": "UTF-8''" + _percent(clean)}


def _percent(text: str) -> str:
    safe = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in text.encode())


@contextmanager
def _temporary() -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file beside the stored ones, gone afterwards unless it was moved."""
    folder = current_app.extensions["hub.settings"].home / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            yield path, target
    finally:
        path.unlink(missing_ok=True)


class LocalStorage:
    """Files in a folder."""

    def __init__(self, folder: Path, internal: str = "") -> None:
        """`internal` is the address below which nginx serves the folder to whom we send there."""
        self.folder, self.internal = folder, internal

    def keep(self, path: Path, key: str) -> None:
        """Give the finished file its name in one step: nobody ever sees half of it."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o640)
        try:
            os.link(path, target)  # the temporary name is removed by its owner
        except FileExistsError:
            return
        except OSError:  # another disk, or one without links
            copy = target.with_suffix(".part")
            copy.write_bytes(path.read_bytes())
            copy.replace(target)

    def open(self, key: str) -> IO[bytes]:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise NotFound from None

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def respond(self, key: str, mimetype: str) -> Response:
        path = self._path(key)
        if not path.is_file():
            raise NotFound
        if self.internal:
            # nginx answers with the file, and with ranges of it, once we have said that it may.
            response = Response(mimetype=mimetype, headers={"X-Accel-Redirect": f"{self.internal}/{key}"})
            response.set_etag(path.name)
            return response
        # The key is the content's hash, hence its ETag.
        sent = send_file(path, request.environ, mimetype=mimetype, etag=path.name, response_class=Response)
        return sent  # type: ignore[return-value]

    def signed(self, key: str, filename: str, mimetype: str) -> str | None:
        return None

    def _path(self, key: str) -> Path:
        if ".." in key or key.startswith("/"):
            raise NotFound
        return self.folder / key


class S3Storage:
    """Files in an S3 bucket; answers are passed through, or lead to an address signed for `seconds`."""

    def __init__(
        self,
        bucket: str,
        *,
        key: str,
        secret: str,
        endpoint: str | None,
        region: str,
        prefix: str,
        seconds: int = 0,
    ) -> None:
        # Imported here: a hub that keeps its files in a folder need not hold it all in memory.
        import boto3
        from botocore.config import Config

        self.bucket, self.prefix, self.seconds = bucket, prefix, seconds
        self.client: Any = boto3.session.Session().client(
            "s3",
            aws_access_key_id=key or None,
            aws_secret_access_key=secret or None,
            endpoint_url=endpoint,
            region_name=region,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                signature_version="s3v4",  # addresses signed the old way are refused for new buckets
            ),
        )

    def keep(self, path: Path, key: str) -> None:
        self.client.upload_file(str(path), self.bucket, self.prefix + key)

    def open(self, key: str) -> IO[bytes]:
        # On disk beyond a megabyte: what reads images wants to seek.
        copy = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115
        with _missing_is_not_found():
            self.client.download_fileobj(self.bucket, self.prefix + key, copy)
        copy.seek(0)
        return copy

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def exists(self, key: str) -> bool:
        try:
            with _missing_is_not_found():
                self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except NotFound:
            return False
        return True

    def signed(self, key: str, filename: str, mimetype: str) -> str | None:
        if not self.seconds:
            return None
        saved = Headers()
        saved.set("Content-Disposition", "attachment", **disposition(filename))
        asked = {
            "Bucket": self.bucket,
            "Key": self.prefix + key,
            "ResponseContentType": mimetype,
            "ResponseContentDisposition": saved["Content-Disposition"],
        }
        return self.client.generate_presigned_url("get_object", Params=asked, ExpiresIn=self.seconds)

    def respond(self, key: str, mimetype: str) -> Response:
        with _missing_is_not_found():
            size = self.client.head_object(Bucket=self.bucket, Key=self.prefix + key)["ContentLength"]
        response = Response(mimetype=mimetype)
        etag = key.rpartition("/")[2]
        response.set_etag(etag)
        response.accept_ranges = "bytes"
        wanted = request.range.range_for_length(size) if request.range and request.method == "GET" else None
        if request.if_none_match.contains_weak(etag):
            response.status_code = 304
            return response
        start, stop = wanted or (0, size)
        if wanted:
            response.status_code = 206
            response.content_range = ContentRange("bytes", start, stop, size)
        response.content_length = stop - start
        if request.method == "GET" and stop > start:
            body = self.client.get_object(
                Bucket=self.bucket, Key=self.prefix + key, Range=f"bytes={start}-{stop - 1}"
            )["Body"]
            response.response = body.iter_chunks(CHUNK)
            response.call_on_close(body.close)
        return response


@contextmanager
def _missing_is_not_found() -> Iterator[None]:
    from botocore.exceptions import ClientError  # loaded by now, and only where files are kept with its help

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey", "NotFound"):
            raise NotFound from None
        raise


def from_url(url: str, internal: str = "") -> Storage:
    """The storage of `file:///path` or `s3://key:secret@bucket/prefix?endpoint=…&region=…&signed=seconds`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalStorage(Path(unquote(parts.path)), internal.rstrip("/"))
    if parts.scheme == "s3":
        options = parse_qs(parts.query)
        prefix = parts.path.strip("/")
        return S3Storage(
            parts.hostname or "",
            key=unquote(parts.username or ""),
            secret=unquote(parts.password or ""),
            endpoint=options.get("endpoint", [""])[0] or None,
            region=options.get("region", ["us-east-1"])[0],
            prefix=prefix + "/" if prefix else "",
            seconds=int(options.get("signed", ["0"])[0]),
        )
    raise ValueError(f"HUB_STORAGE_URL: {parts.scheme}: is neither file: nor s3:")


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["hub.storage"] = from_url(settings.storage_url, settings.accel_prefix)


def _storage() -> Storage:
    return current_app.extensions["hub.storage"]
