"""The gallery and an asset's page, for everyone who uses materials."""

import io
from typing import Any

from flask import Response, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload, raiseload, selectinload

from ..accounts import sessions
from ..core import storage
from ..core.access import Permission, can, requires, visible_or_404
from ..core.database import db, transaction
from ..core.errors import HubError, NotFound
from ..core.i18n import LOCALES, _
from ..core.light import quick
from ..core.qr import qr_code
from ..core.security import CSP_WITH_FRAMES
from ..core.uploads import TYPES, safe_name
from ..partners.links import UTM, page_of, short_link
from ..partners.service import partner_of
from . import (
    asking,
    branding,
    cobranding,
    embedding,
    gallery,
    kits,
    pictures,
    public,
    publishing,
    requesting,
    statistics,
    taking,
    uploading,
    visiting,
)
from .blueprint import bp
from .colours import FAMILIES
from .gallery import Facets, Filters, Option
from .models import GENRES, KINDS, Asset, Campaign, Kind, ThumbnailState

__all__ = [
    "asking",
    "bp",
    "cobranding",
    "kits",
    "public",
    "publishing",
    "statistics",
    "uploading",
    "visiting",
]  # importing them registers their views

YEAR = "private, max-age=31536000, immutable"


@bp.get("/materials/")
@requires(Permission.MATERIALS_VIEW)
def index() -> ResponseReturnValue:
    """The gallery: filters with counts, and a page of tiles."""
    filters = Filters.read(request.args)
    if filters.archived and not can(current_user, Permission.MATERIALS_MANAGE):
        raise NotFound
    found = gallery.facets(current_user, filters)
    names = gallery.campaigns(current_user)
    groups = _groups(filters, found, names)
    page = render_template(
        "materials/index.html",
        page=gallery.assets(current_user, filters, request.args.get("cursor")),
        filters=filters,
        found=found,
        groups=groups,
        chips=_chips(filters, groups),
        is_new=gallery.is_new,
        campaigns=names,
        address=_address,
        manages=can(current_user, Permission.MATERIALS_MANAGE),
    )
    return _with_frames(page)


@bp.get("/materials/<int:id>")
@requires(Permission.MATERIALS_VIEW)
def show(id: int) -> ResponseReturnValue:
    """An asset: preview, facts, codes with the viewer's link; alone for the gallery's drawer."""
    asset = _visible(id)
    who, use = embedding.viewer(current_user), asking.asked(asset)
    to, marks = page_of(request.args.get("to")), _marks()
    own = branding.is_template(asset)
    template = "materials/_asset.html" if request.headers.get("HX-Request") else "materials/show.html"
    page = render_template(
        template,
        asset=asset,
        stage=embedding.stage(asset, who) if use["may_use"] else None,
        version=asset.current,
        who=who,
        to=to,
        marks=marks,
        short=None if who.is_sample else short_link(who.code, to or "", through=asset.public_id, **marks),
        wrong_to=bool(request.args.get("to")) and to is None,
        codes=embedding.codes(asset, who.code, to, **marks),
        text=embedding.fill_in(asset.current.text, who, asset, to) if asset.current.text else None,
        is_new=gallery.is_new(asset),
        ending=TYPES[asset.current.mime][1].lstrip(".").upper(),
        manages=can(current_user, Permission.MATERIALS_MANAGE),
        own=own,
        partner=partner_of(current_user) if own else None,
        can_have_places=branding.can_have_places(asset),
        **use,
        **kits.held(asset),
    )
    return _with_frames(page)


def _with_frames(page: str) -> Response:
    """A page on which a banner may play."""
    return Response(page, headers={"Content-Security-Policy": CSP_WITH_FRAMES})


@bp.get("/materials/<int:id>/thumbnail")
@requires(Permission.MATERIALS_VIEW)
def thumbnail(id: int) -> ResponseReturnValue:
    """The small picture of the gallery."""
    asset = _visible(id)
    version = asset.current
    if version.thumbnail_state is not ThumbnailState.READY or not version.thumbnail_key:
        raise NotFound
    if not requesting.may_use(asset, current_user):
        return _reduced(asset, version.thumbnail_key)
    return _cached(
        storage.send(version.thumbnail_key, filename="thumbnail.webp", mimetype="image/webp", inline=True)
    )


def _reduced(asset: Asset, key: str) -> Response:
    """A thumbnail to choose by and not to use: a small banner's usual one is the banner itself."""
    most = (max((asset.width or 2) // 2, 1), max((asset.height or 2) // 2, 1))
    width, height = (min(*pair) for pair in zip(most, pictures.BOX_ON_REQUEST, strict=True))
    with storage.open(key) as stored:
        small = pictures.thumbnail(io.BytesIO(stored.read()), (width, height))
    response = Response(small.getvalue(), mimetype="image/webp")
    # Not kept: at the same address is the usual one, once the team has agreed.
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/materials/<int:id>/preview")
@requires(Permission.MATERIALS_VIEW)
def preview(id: int) -> ResponseReturnValue:
    """The picture itself, shown on a page."""
    asset = _visible(id)
    requesting.check(asset, current_user)
    version = asset.current
    if not version.key:
        raise NotFound
    return _cached(storage.send(version.key, filename=version.filename, mimetype=version.mime, inline=True))


def _at_once(id: int) -> Response | None:
    """A file that this person may have and has had before: nothing but two questions to the database."""
    if request.method != "GET" or "version" in request.args or "Authorization" in request.headers:
        return None
    try:
        with db.engine.connect() as connection:
            who = sessions.reader(connection, session.get("_user_id"))
            file = taking.ready(connection, id, who) if who else None
        return storage.send(file.key, filename=file.filename, mimetype=file.mime) if file else None
    except (HubError, SQLAlchemyError):
        return None  # the view says what is wrong, in the reader's language


@bp.get("/materials/<int:id>/download")
@quick(_at_once)
@requires(Permission.MATERIALS_VIEW)
def download(id: int) -> ResponseReturnValue:
    """Hand the file out, counted; a ready text has the partner's link filled in."""
    return _hand_out(visible_or_404(_WITH_FILE.where(Asset.id == id), current_user))


@bp.get("/api/v1/materials/<int:id>/file", endpoint="api_file")
@requires(Permission.MATERIALS_VIEW)
def api_file(id: int) -> ResponseReturnValue:
    """The same for programs, which have a token instead of a session; a template is filled in, as on its page."""
    asset = visible_or_404(_WITH_FILE.where(Asset.id == id), current_user)
    if can(current_user, Permission.PARTNERS_OWN) and branding.is_template(asset):
        requesting.check(asset, current_user)
        return cobranding.hand_out(asset, asset.current, branding.template_of(asset))
    return _hand_out(asset)


#: What a download needs to know, asked for often: built once.
_WITH_FILE = select(Asset).options(joinedload(Asset.current), raiseload("*"))


def _hand_out(asset: Asset) -> ResponseReturnValue:
    requesting.check(asset, current_user)
    version = taking.wanted(asset, request.args.get("version", type=int), current_user)
    if request.method == "GET" and not taking.is_counted(version, current_user):
        with transaction():
            taking.record_downloads([(version.id, version.asset_id)], current_user)
    if version.key:
        return storage.send(version.key, filename=version.filename, mimetype=version.mime)
    text = embedding.fill_in(version.text or "", embedding.viewer(current_user), asset)
    response = make_response(text)
    response.mimetype = "text/plain"
    response.headers.set("Content-Disposition", "attachment", **storage.disposition(version.filename))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request, accept_ranges=True, complete_length=len(response.get_data()))


@bp.get("/materials/<int:id>/qr.<any(svg, png):form>")
@requires(Permission.MATERIALS_VIEW)
def qr(id: int, form: str) -> ResponseReturnValue:
    """The viewer's link to an asset as a QR code."""
    asset = _visible(id)
    requesting.check(asset, current_user)
    who = embedding.viewer(current_user)
    address = embedding.link(who.code, asset, request.args.get("to"), **_marks())
    out = io.BytesIO()
    qr_code(address).save(out, kind=form, scale=8, border=3, **({"xmldecl": False} if form == "svg" else {}))
    response = Response(out.getvalue(), mimetype="image/svg+xml" if form == "svg" else "image/png")
    response.headers["Content-Security-Policy"] = storage.SANDBOX
    if request.args.get("download"):
        name = safe_name(f"{who.code}-{asset.public_id}.{form}")
        response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


# --- Parts -----------------------------------------------------------------


def _visible(id: int) -> Asset:
    statement = select(Asset).where(Asset.id == id)
    loaded = (joinedload(Asset.current), joinedload(Asset.campaign), selectinload(Asset.tag_rows))
    return visible_or_404(statement.options(*loaded), current_user)


def _marks() -> dict[str, str]:
    """Marks of a campaign that the viewer wants in the link."""
    return {name: value[:60] for name in UTM if (value := request.args.get(name, "").strip())}


def _cached(response: Response) -> Response:
    # The address names the version, so what it shows never changes.
    if "v" in request.args:
        response.headers["Cache-Control"] = YEAR
    return response


def _groups(
    filters: Filters, found: Facets, names: dict[str, Campaign]
) -> list[tuple[str, str, list[Option]]]:
    """Facets as the page shows them: (name, heading, lines)."""
    kinds = {str(kind): str(KINDS[kind]) for kind in Kind}
    sizes = sorted(found.size, key=lambda size: (-found.size[size], size))[: gallery.SHOWN_SIZES]
    tags = sorted(found.tag, key=lambda tag: (-found.tag[tag], tag))
    rows: list[tuple[str, str, dict[str, str]]] = [
        ("kind", _("Kind"), kinds),
        (
            "size",
            _("Size"),
            {
                size: size.replace("x", " × ")
                for size in {**dict.fromkeys(sizes), **dict.fromkeys(filters.size)}
            },
        ),
        ("lang", _("Language"), LOCALES),
        (
            "campaign",
            _("Promo campaign"),
            {id: each.name for id, each in sorted(names.items(), key=lambda pair: pair[1].name)},
        ),
        ("genre", _("Written for"), {str(genre): str(label) for genre, label in GENRES.items()}),
        ("colour", _("Colour"), {name: str(label) for name, label in FAMILIES.items()}),
        (
            "tag",
            _("Tag"),
            {tag: tag for tag in {**dict.fromkeys(tags), **dict.fromkeys(sorted(filters.tag))}},
        ),
    ]
    groups = []
    for name, heading, labels in rows:
        counts, chosen = getattr(found, name), getattr(filters, name)
        options = [
            Option(value, label, counts[value], value in chosen)
            for value, label in labels.items()
            if counts[value] or value in chosen
        ]
        groups.append((name, heading, options))
    return [group for group in groups if group[2]]


def _chips(filters: Filters, groups: list[tuple[str, str, list[Option]]]) -> list[tuple[str, str]]:
    """What is ticked, each with the address without it: (label, url)."""
    chips = [
        (option.label, _address(without={name: {option.value}}))
        for name, _heading, options in groups
        for option in options
        if option.is_chosen
    ]
    for ticked, name, label in (
        (filters.new, "new", _("New")),
        (filters.mine, "mine", _("Favourites")),
        (filters.fits, "fits", _("Recommended")),
    ):
        if ticked:
            chips.append((label, _address(without={name: {"1"}})))
    return chips


def _address(*, cursor: str | None = None, without: dict[str, set[str]] | None = None) -> str:
    """This gallery's address at another page, or from its first page without some of its values."""
    query: dict[str, Any] = {}
    for name, value in request.args.items(multi=True):
        if name != "cursor" and value not in (without or {}).get(name, ()):
            query.setdefault(name, []).append(value)
    return url_for("materials.index", **query, cursor=cursor)
