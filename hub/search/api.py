"""Search for programs: `GET /api/v1/search` with a bearer token."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..core.access import Permission, requires
from . import service

bp = Blueprint("search_api", __name__, url_prefix="/api/v1/search")


@bp.get("", endpoint="index")
@requires(Permission.SEARCH_USE)
def index() -> ResponseReturnValue:
    """Hits best first: `q`, and if wanted `lang`, `kind`, `shelf` (a category's name), `limit` (at most 50), `instant`.

    With `instant` the last word is unfinished. `fragment` is HTML that holds nothing but text and `<mark>`.
    `total` counts all hits, `lang` is the language they are in; without `is_complete` the index is being built.
    """
    answer = service.listed(
        current_user,
        request.args.get("q", ""),
        lang=request.args.get("lang", ""),
        kind=request.args.get("kind", ""),
        shelf=request.args.get("shelf", ""),
        limit=request.args.get("limit", 10, type=int),
        typing=request.args.get("instant", "").lower() in ("1", "true", "yes", "on"),
    )
    hits = [
        {
            "id": hit.document.id,
            "external_id": hit.document.external_id,
            "kind": hit.document.kind,
            "title": hit.document.title,
            "url": hit.url,
            "fragment": str(hit.fragment),
        }
        for hit in answer.hits
    ]
    shelf = request.args.get("shelf")
    total = answer.by_shelf.get(shelf, 0) if shelf else sum(answer.by_shelf.values())
    return jsonify(hits=hits, total=total, lang=answer.lang, is_complete=answer.is_complete)
