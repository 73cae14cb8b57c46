"""What partners' own sites use: the pictures in their codes, and the links that lead to the programme."""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import joinedload
from werkzeug.utils import send_file

from ..core import storage
from ..core.access import public
from ..core.database import db
from ..core.errors import NotFound
from ..core.light import PIXEL, light
from ..core.uploads import TYPES
from ..partners import links
from ..partners.models import Partner, PartnerStatus, ShortLink
from ..partners.service import CODE
from . import banners, branding, clicks, embedding, showing
from .blueprint import bp
from .models import Asset, AssetVersion, Kind, Status, Visibility, for_partners, with_consent

#: A changed picture reaches partners' sites within the hour, a withdrawn one too.
CACHE = "public, max-age=3600, stale-while-revalidate=86400"
#: What is shown only until the right one is there.
STALE = "no-store"

View = Callable[..., ResponseReturnValue]


def looks_like_nothing(empty: Callable[[], Response]) -> Callable[[View], View]:
    """What is not there, or not for this partner, is not found – and is no broken picture on anybody's page.

    The answer is the same for what exists and what does not, so it gives nothing away.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def shown(**values: str) -> ResponseReturnValue:
            try:
                return view(**values)
            except NotFound:
                response = empty()
                response.status_code = 404
                return response

        return shown

    return decorate


def _pixel() -> Response:
    return _for_other_sites(Response(PIXEL, mimetype="image/gif"))


def _empty_frame() -> Response:
    return _for_frames(Response(b"", mimetype="text/html"))


def _for_frames(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = banners.policy()
    return _for_other_sites(response)


def _for_other_sites(response: Response) -> Response:
    if response.headers.get("Cache-Control") != STALE:
        response.headers["Cache-Control"] = CACHE
    # Other sites show it; that is what it is for.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@bp.get("/a/<public_id>.<ending>")
@public
@looks_like_nothing(_pixel)
def picture(public_id: str, ending: str) -> ResponseReturnValue:
    """The picture in a code, for any visitor of a partner's site."""
    asset = _picture(public_id)
    if not asset.is_open:
        raise NotFound
    return _show(asset, ending, None)


@bp.get("/a/<code>/<public_id>.<ending>")
@public
@looks_like_nothing(_pixel)
def picture_for(code: str, public_id: str, ending: str) -> ResponseReturnValue:
    """The picture in a partner's code; one that is not everyone's in the name of a partner only who may use it."""
    asset, code = _picture(public_id), code.strip().upper()
    _refuse_others(asset, code)
    return _show(asset, ending, code)


@bp.get("/go/<code>")
@bp.get("/go/<code>/<public_id>")
@public
@light
def go(code: str, public_id: str | None = None) -> ResponseReturnValue:
    """Lead a visitor to the programme's site, and remember that a partner sent them."""
    return _lead_on(_follow(code.strip().upper(), public_id), request.args)


@bp.get("/s/<token>")
@public
@light
def go_short(token: str) -> ResponseReturnValue:
    """Lead on from the short form of a link; from one that nobody knows, or while the database is away, to the first page."""
    try:
        with db.engine.connect() as connection:
            found = connection.execute(_SHORT, {"token": token}).first()
    except (OperationalError, PoolTimeout):
        found = None
    if found is None:
        return _lead_on(Followed(), {})
    return _lead_on(
        _follow(found.code, found.through), {**dict(parse_qsl(found.query)), **request.args.to_dict()}
    )


@dataclass(frozen=True)
class Followed:
    """Whose link it was, through what, and where that leads when the link does not say."""

    code: str = ""  # empty: counts for nobody
    public_id: str | None = None
    landing: str | None = None


#: A page that many read at once shows the same link to all of them.
REMEMBERED_SECONDS, MOST_REMEMBERED = 2.0, 10_000
_remembered: dict[tuple[str, str | None], tuple[float, Followed]] = {}
#: Asked for every visitor: built once, without objects and without the request's session.
_PARTNER = select(Partner.code).where(
    Partner.code == bindparam("code"), Partner.status == PartnerStatus.ACTIVE
)
_ASSET = select(Asset.public_id, Asset.landing).where(Asset.public_id == bindparam("public_id"))
_SHORT = (
    select(Partner.code, ShortLink.through, ShortLink.query)
    .join(Partner, Partner.id == ShortLink.partner_id)
    .where(ShortLink.token == bindparam("token"))
)


def _follow(code: str, public_id: str | None) -> Followed:
    """Look up a link, at most once in two seconds.

    While the database is away a link is believed: the worker counts codes that exist.
    """
    key, now = (code, public_id), time.monotonic()
    until, followed = _remembered.get(key, (0.0, None))
    if followed is None or until < now:
        try:
            followed = _look_up(code, public_id)
        except (OperationalError, PoolTimeout):
            return Followed(code, public_id) if CODE.fullmatch(code) else Followed()
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = now + REMEMBERED_SECONDS, followed
    return followed


def _look_up(code: str, public_id: str | None) -> Followed:
    with db.engine.connect() as connection:
        is_active = connection.execute(_PARTNER, {"code": code}).first() is not None
        asset = connection.execute(_ASSET, {"public_id": public_id}).first() if public_id else None
    return Followed(code if is_active else "", *(asset or ()))


def _lead_on(followed: Followed, query: Mapping[str, str]) -> ResponseReturnValue:
    to, own = query.get("to"), {}
    if followed.code:
        own["ref"] = followed.code
        if request.method == "GET":
            link = links.asked(links.page_of(to), query)
            own["click"] = clicks.note(
                followed.code, followed.public_id, link, headers=request.headers, address=request.remote_addr
            )
    response = Response(status=302, mimetype="text/plain")
    response.headers["Location"] = links.destination(to, followed.landing, query, own)
    response.headers["Cache-Control"] = "no-store"
    # The programme's site learns which page the click came from.
    response.headers["Referrer-Policy"] = "no-referrer-when-downgrade"
    return response


@bp.get("/b/<public_id>/<path:name>")
@public
@looks_like_nothing(_empty_frame)
def banner(public_id: str, name: str) -> ResponseReturnValue:
    """A file of an HTML5 banner, for any visitor of a partner's site."""
    asset = _banner(public_id)
    if not asset.is_open:
        raise NotFound
    return _play(asset, name, None)


@bp.get("/b/for/<code>/<public_id>/<path:name>")
@public
@looks_like_nothing(_empty_frame)
def banner_for(code: str, public_id: str, name: str) -> ResponseReturnValue:
    """A file of a banner in a partner's code; one that is not everyone's as with pictures."""
    asset, code = _banner(public_id), code.strip().upper()
    _refuse_others(asset, code)
    return _play(asset, name, code)


def _refuse_others(asset: Asset, code: str) -> None:
    """Raise NotFound unless the partner with this code may use the asset; what is everyone's needs no partner.

    What is over is no secret any more: only what takes its place is shown.
    """
    if not _is_live(asset) and asset.visibility is not Visibility.STAFF:
        return
    if asset.is_open:
        return
    own = Partner.code == code
    allowed = select(Asset.id).where(Asset.id == asset.id, for_partners(own), with_consent(own))
    if embedding.partner_by_code(code) is None or db.session.scalar(allowed) is None:
        raise NotFound


def _banner(public_id: str) -> Asset:
    asset = db.session.scalar(select(Asset).where(Asset.public_id == public_id).options(*_WITH_REPLACEMENT))
    if asset is None or asset.kind is not Kind.HTML or asset.status is Status.DRAFT:
        raise NotFound
    return asset


def _play(asset: Asset, name: str, code: str | None) -> Response:
    """The file, or what takes its place once the banner is over; without that, an empty page is an empty frame."""
    if (shown := _shown(asset)) is None:
        return _empty_frame()
    data, kind = _entry(shown, name, code)
    if name == banners.FIRST:
        showing.note(asset, code)
    return _for_frames(Response(data, mimetype=kind))


def _entry(asset: Asset, name: str, code: str | None) -> tuple[bytes, str]:
    """A file of a banner; what a partner's marks stand for is filled in."""
    is_first, is_own = name == banners.FIRST, name in (branding.LOGO, branding.QR)
    if not is_first and not is_own:
        return banners.entry(asset.current, name)
    partner = embedding.partner_by_code(code) if code else None
    who = branding.brand(partner, asset)
    if is_own and (found := branding.beside(name, who)):
        return found
    data, kind = banners.entry(asset.current, name)
    return branding.html(data, who), kind


def _picture(public_id: str) -> Asset:
    asset = db.session.scalar(select(Asset).where(Asset.public_id == public_id).options(*_WITH_REPLACEMENT))
    if asset is None or not asset.is_picture or asset.status is Status.DRAFT:
        raise NotFound
    return asset


_WITH_REPLACEMENT = joinedload(Asset.current), joinedload(Asset.replacement).joinedload(Asset.current)


def _is_live(asset: Asset) -> bool:
    return asset.status is Status.PUBLISHED and asset.is_valid()


def _shown(asset: Asset) -> Asset | None:
    """The asset, or once it is over what takes its place, as far as everyone may see that."""
    if _is_live(asset):
        return asset
    instead = asset.replacement
    return instead if instead and instead.is_open and _is_live(instead) else None


def _show(asset: Asset, ending: str, code: str | None) -> Response:
    if TYPES[asset.current.mime][1] != f".{ending}" and not _was(asset, ending):
        raise NotFound
    if (shown := _shown(asset)) is None:
        return _pixel()
    showing.note(asset, code)
    return _for_other_sites(_own(shown, code) or _file(shown.current))


def _file(version: AssetVersion) -> Response:
    return storage.send(version.key or "", filename=version.filename, mimetype=version.mime, inline=True)


def _own(asset: Asset, code: str | None) -> Response | None:
    """A template in the partner's name; None for what is no template."""
    template = branding.template_of(asset) if code and asset.kind is Kind.IMAGE else None
    partner = embedding.partner_by_code(code or "") if template else None
    if partner is None:
        return None
    try:
        path = branding.filled(asset, template, branding.brand(partner, asset), is_passing=True)
    except branding.Busy:
        # As it is, until it is drawn: nobody waits, and no strangers together keep the hub at drawing.
        response = _file(asset.current)
        response.headers["Cache-Control"] = STALE
        return response
    return send_file(  # type: ignore[return-value]
        path, request.environ, mimetype=asset.current.mime, etag=path.stem, response_class=Response
    )


def _was(asset: Asset, ending: str) -> bool:
    """An older version had this ending: codes placed then keep working."""
    return any(TYPES[version.mime][1] == f".{ending}" for version in asset.versions)
