"""What programs fetch: robots.txt, the sitemap, and a feed of changes in each language."""

from collections.abc import Callable

from flask import Response, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from ...core.access import public
from ...core.light import light
from .. import outside
from . import bp
from .reading import LANGUAGE


@public
@light
def robots() -> ResponseReturnValue:
    """What crawlers may fetch."""
    return Response(
        outside.robots(), mimetype="text/plain", headers={"Cache-Control": "public, max-age=3600"}
    )


@public
@light
def sitemap() -> ResponseReturnValue:
    """All public articles."""
    return _unless_known(outside.fingerprint(), outside.sitemap, "application/xml")


@bp.get(f"/{LANGUAGE}/feed.atom")
@public
@light
def feed(lang: str) -> ResponseReturnValue:
    """What is new and what has changed."""
    return _unless_known(outside.fingerprint(lang), lambda: outside.feed(lang), "application/atom+xml")


def _unless_known(etag: str, make: Callable[[], str | bytes], mimetype: str) -> Response:
    """The document, or 304 to whoever has it; then it is not even made."""
    is_known = request.if_none_match.contains_weak(etag)
    response = Response(status=304) if is_known else Response(make(), mimetype=mimetype)
    response.set_etag(etag)
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.record_once
def _at_the_root(state: BlueprintSetupState) -> None:
    """Crawlers look for these two at the root only."""
    state.app.add_url_rule("/robots.txt", "kb.robots", robots, methods=["GET"])
    state.app.add_url_rule("/sitemap.xml", "kb.sitemap", sitemap, methods=["GET"])
