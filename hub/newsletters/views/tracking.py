"""What mails lead through: a followed link, and the picture that says that a mail was opened."""

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ...core.access import public
from ...core.light import PIXEL, light
from ...core.settings import settings
from .. import tracking
from . import bp


@bp.get("/news/to/<key>/<link>")
@public
@light
def follow(key: str, link: str) -> ResponseReturnValue:
    """Lead on to the stored address of a link; from one that nobody knows, or while the database is away, to the hub."""
    number = tracking.number_of(link)
    try:
        url = tracking.destination(number) if number is not None else None
    except (OperationalError, PoolTimeout):
        url = None
    if url and request.method == "GET":
        tracking.note(key, number, request.headers)
    response = Response(status=302, mimetype="text/plain")
    response.headers["Location"] = url or f"{settings.base_url}/"
    return _once(response)


@bp.get("/news/seen/<key>.gif")
@public
@light
def seen(key: str) -> ResponseReturnValue:
    """An empty picture."""
    if request.method == "GET":
        tracking.note(key, None, request.headers)
    return _once(Response(PIXEL, mimetype="image/gif"))


def _once(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
