"""What partners' own sites use: the pictures in their codes, and the links that lead to the programme."""

import base64
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Response, current_app, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..core import storage
from ..core.access import public
from ..core.database import db, transaction
from ..core.errors import NotFound
from ..core.uploads import TYPES
from ..partners.models import Partner
from . import embedding, service
from .blueprint import bp
from .models import Asset, Status, Visibility, for_partners

log = structlog.get_logger()

#: One transparent pixel: what an embedded picture becomes when its time is over.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
#: A changed picture reaches partners' sites within the hour, a withdrawn one too.
CACHE = "public, max-age=3600, stale-while-revalidate=86400"


@bp.get("/a/<public_id>.<ending>")
@public
def picture(public_id: str, ending: str) -> ResponseReturnValue:
    """The picture in a code, for any visitor of a partner's site."""
    asset = _picture(public_id)
    if asset.visibility is not Visibility.ALL:
        raise NotFound
    return _show(asset, ending)


@bp.get("/a/<code>/<public_id>.<ending>")
@public
def picture_for(code: str, public_id: str, ending: str) -> ResponseReturnValue:
    """The picture in a code of a partner whose level has it."""
    asset = _picture(public_id)
    allowed = for_partners(Partner.code == code.strip().upper())
    if asset.is_valid() and asset.status is Status.PUBLISHED:
        seen = select(Asset.id).where(Asset.id == asset.id, allowed)
        if embedding.partner_by_code(code) is None or db.session.scalar(seen) is None:
            raise NotFound
    elif asset.visibility is Visibility.STAFF:
        raise NotFound
    return _show(asset, ending)


@bp.get("/go/<code>")
@bp.get("/go/<code>/<public_id>")
@public
def go(code: str, public_id: str | None = None) -> ResponseReturnValue:
    """Lead a visitor to the programme's site, and remember that a partner sent them."""
    partner = embedding.partner_by_code(code)
    asset = db.session.scalar(select(Asset).where(Asset.public_id == public_id)) if public_id else None
    landing = asset.landing if asset else None
    target = embedding.destination(
        request.args.get("to"), landing, partner.code if partner else None, request.args
    )
    response = redirect(target, 302)
    response.headers["Cache-Control"] = "no-store"
    # The programme's site learns which page the click came from.
    response.headers["Referrer-Policy"] = "no-referrer-when-downgrade"
    if partner and request.method == "GET":
        _count_click(response, partner.id, asset.id if asset else None)
    return response


def _picture(public_id: str) -> Asset:
    asset = db.session.scalar(
        select(Asset)
        .where(Asset.public_id == public_id)
        .options(joinedload(Asset.current), joinedload(Asset.replacement).joinedload(Asset.current))
    )
    if asset is None or not asset.is_picture or asset.status is Status.DRAFT:
        raise NotFound
    return asset


def _show(asset: Asset, ending: str) -> Response:
    if TYPES[asset.current.mime][1] != f".{ending}" and not _was(asset, ending):
        raise NotFound
    if asset.status is Status.PUBLISHED and asset.is_valid():
        shown: Asset | None = asset
    else:
        instead = asset.replacement
        fits = instead is not None and instead.status is Status.PUBLISHED and instead.is_valid()
        shown = instead if fits and instead and instead.visibility is Visibility.ALL else None
    if shown is None:
        response = Response(PIXEL, mimetype="image/gif")
    else:
        version = shown.current
        response = storage.send(
            version.key or "", filename=version.filename, mimetype=version.mime, inline=True
        )
    response.headers["Cache-Control"] = CACHE
    # Other sites show it; that is what it is for.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _was(asset: Asset, ending: str) -> bool:
    """An older version had this ending: codes placed then keep working."""
    return any(TYPES[version.mime][1] == f".{ending}" for version in asset.versions)


def _count_click(response: Any, partner_id: int, asset_id: int | None) -> None:
    """Write the click when the answer has gone out; whatever happens to it, the visitor is on the way."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    referrer = (urlsplit(request.referrer).hostname or "")[:200] or None if request.referrer else None

    def write() -> None:
        try:
            with app.app_context(), transaction():
                service.record_click(partner_id, asset_id, referrer)
        except Exception as error:
            log.warning("click lost", partner=partner_id, error=str(error)[:200])

    response.call_on_close(write)
