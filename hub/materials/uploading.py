"""Where files come in piece by piece: tus 1.0 (https://tus.io/protocols/resumable-upload), with its extensions
creation, creation-with-upload, termination and expiration, so that any program that speaks it can upload.

1. `POST /materials/uploads` with `Upload-Length` and `Upload-Metadata: filename <base64>` answers 201 with the
   file's address in `Location`; the body may bring its first piece.
2. `PATCH` to that address with `Upload-Offset` brings the next piece; `HEAD` says how much is there.
3. `GET` says as JSON what became of it; `DELETE` throws it away. Adding it to the library is the form's work.
"""

import base64
import binascii
from email.utils import format_datetime
from typing import Any

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from werkzeug.exceptions import ClientDisconnected

from ..core.access import Permission, requires, visible_or_404
from ..core.database import transaction
from ..core.errors import HubError
from ..core.i18n import _
from . import receiving
from .blueprint import bp
from .models import Upload, UploadState

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"


@bp.post("/materials/uploads")
@requires(Permission.MATERIALS_MANAGE)
def begin_upload() -> ResponseReturnValue:
    """Announce a file, perhaps with its first piece."""
    size = _number("Upload-Length")
    if size is None:
        return _refusal(400, _("The length of the file is missing."))
    said = _metadata()
    try:
        with transaction():
            upload = receiving.begin(
                current_user, said.get("filename", ""), size, said.get("modified", "")[:40] or None
            )
        if request.mimetype == PIECE or not size:
            _append(upload, 0)
    except HubError as error:
        return _refusal(error.status, str(error.message))
    response = _state(upload, Response(status=201))
    response.headers["Location"] = url_for("materials.upload", token=upload.token)
    return response


@bp.get("/materials/uploads/<token>")
@requires(Permission.MATERIALS_MANAGE)
def upload(token: str) -> ResponseReturnValue:
    """How much of a file is there, and what became of it."""
    found = _upload(token)
    if receiving.is_whole(found):  # the hub stopped between its last piece and the note of what it is
        _settle(found)
    return _state(found, jsonify(_as_json(found)))


@bp.patch("/materials/uploads/<token>")
@requires(Permission.MATERIALS_MANAGE)
def append_upload(token: str) -> ResponseReturnValue:
    """Take the next piece."""
    found, offset = _upload(token), _number("Upload-Offset")
    if request.mimetype != PIECE or offset is None:
        return _refusal(415 if offset is not None else 400, _("This is no piece of a file."))
    try:
        _append(found, offset)
    except HubError as error:
        return _refusal(error.status, str(error.message))
    return _state(found, Response(status=204))


@bp.delete("/materials/uploads/<token>")
@requires(Permission.MATERIALS_MANAGE)
def drop_upload(token: str) -> ResponseReturnValue:
    """Throw a file away."""
    _upload(token)
    with transaction():
        receiving.drop(token)
    return Response(status=204, headers={"Tus-Resumable": VERSION})


def _append(found: Upload, offset: int) -> None:
    try:
        receiving.append(found, offset, request.stream)
    except ClientDisconnected:  # what came is there, and the rest follows
        return
    _settle(found)


def _settle(found: Upload) -> None:
    looked = receiving.look_into(found) if receiving.is_whole(found) else None
    with transaction():
        receiving.settle(found, looked)


def _as_json(found: Upload) -> dict[str, Any]:
    twin, earlier = receiving.twin(found), receiving.earlier(found)
    facts = found.facts or {}
    return {
        "token": found.token,
        "name": found.name,
        "size": found.size,
        "received": receiving.received(found),
        "state": str(found.state),
        "error": found.error,
        "kind": facts.get("kind"),
        "width": facts.get("width"),
        "height": facts.get("height"),
        "duration_ms": facts.get("duration_ms"),
        "twin": {"title": twin.title, "url": url_for("materials.show", id=twin.id)} if twin else None,
        "earlier": earlier.name if earlier else None,
    }


def _state(found: Upload, response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Upload-Offset"] = str(receiving.received(found))
    response.headers["Upload-Length"] = str(found.size)
    response.headers["Cache-Control"] = "no-store"
    if found.state is UploadState.RECEIVING:
        ends = found.touched_at + receiving.PATIENCE
        response.headers["Upload-Expires"] = format_datetime(ends, usegmt=True)
    return response


def _refusal(status: int, message: str) -> Response:
    response = jsonify(error=message)
    response.status_code = status
    response.headers["Tus-Resumable"] = VERSION
    return response


def _number(header: str) -> int | None:
    text = request.headers.get(header, "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _metadata() -> dict[str, str]:
    """`filename d29ybGQ=,modified MTIz` as words."""
    found = {}
    for pair in request.headers.get("Upload-Metadata", "")[:4000].split(","):
        key, _space, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def _upload(token: str) -> Upload:
    return visible_or_404(select(Upload).where(Upload.token == token), current_user)
