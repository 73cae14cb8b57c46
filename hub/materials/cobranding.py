"""Where the team lays places on a template, and where a partner sees and takes it in their own name."""

from dataclasses import replace
from math import isfinite
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.utils import send_file

from ..core import storage
from ..core.access import Permission, can, requires, visible_or_404
from ..core.database import transaction
from ..core.errors import HubError, NotFound
from ..core.i18n import _
from ..core.uploads import safe_name
from ..partners.service import partner_of
from . import branding, requesting, taking, visiting
from .blueprint import bp
from .branding import ALIGN, WHAT, Brand, Place
from .models import Asset, AssetVersion, Kind, Template

#: People measure pages in millimetres, PDF in points.
_POINTS = 72 / 25.4
#: Shows the team that the longest names fit.
LONG_NAME = (
    "Товариство з обмеженою відповідальністю «Бухгалтерія та податки Шевченківського району» – Łódź & Zürich"
)


@bp.get("/materials/<int:id>/own")
@requires(Permission.MATERIALS_VIEW)
def own_preview(id: int) -> ResponseReturnValue:
    """What the template looks like in one's own name; for the team as a sample, as `?partner=`, with a `?long=1` name."""
    asset, version, template = _template(id)
    requesting.check(asset, current_user)
    if asset.kind is Kind.HTML:
        raise NotFound
    path = branding.filled(asset, template, _brand(asset), version=version, preview=True)
    mime = version.mime if asset.kind is not Kind.DOCUMENT else "image/png"
    response: Any = send_file(path, request.environ, mimetype=mime, etag=path.stem)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@bp.get("/materials/<int:id>/own/download")
@requires(Permission.MATERIALS_VIEW)
def own_download(id: int) -> ResponseReturnValue:
    """The file in one's own name, counted as any download; an old `?version=` for the team, with the places it had."""
    asset, version, template = _template(id)
    requesting.check(asset, current_user)
    return hand_out(asset, version, template)


def hand_out(asset: Asset, version: AssetVersion, template: Template | None) -> ResponseReturnValue:
    """A template filled in for whoever asks, and counted."""
    who = _brand(asset)
    path = branding.filled(asset, template, who, version=version)
    if request.method == "GET" and not taking.is_counted(version, current_user):
        with transaction():
            taking.record_downloads([(version.id, asset.id)], current_user)
    response: Any = send_file(path, request.environ, mimetype=version.mime, etag=path.stem)
    stem, _dot, ending = version.filename.rpartition(".")
    name = storage.disposition(safe_name(f"{stem}-{who.code.lower()}.{ending}"))
    response.headers.set("Content-Disposition", "attachment", **name)
    response.headers["Content-Security-Policy"] = storage.SANDBOX
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _template(id: int) -> tuple[Asset, AssetVersion, Template | None]:
    asset = _asset(id)
    version = taking.wanted(asset, request.args.get("version", type=int), current_user)
    if not branding.is_template(asset, version):
        raise NotFound
    return asset, version, branding.template_of(asset, version)


def _asset(id: int) -> Asset:
    statement = select(Asset).where(Asset.id == id).options(joinedload(Asset.current))
    return visible_or_404(statement, current_user)


def _brand(asset: Asset) -> Brand:
    is_own = can(current_user, Permission.PARTNERS_OWN)
    partner = partner_of(current_user) if is_own else visiting.partner_asked()
    who = branding.brand(partner, asset)
    return replace(who, name=LONG_NAME) if request.args.get("long") and not is_own else who


# --- The team's form -------------------------------------------------------


@bp.get("/materials/<int:id>/places")
@requires(Permission.MATERIALS_MANAGE)
def places(id: int) -> ResponseReturnValue:
    """Where partners' logo, name and the rest go, with a preview."""
    asset = _asset(id)
    if not branding.can_have_places(asset):
        raise NotFound
    template = branding.template_of(asset)
    return _page(asset, [Place(**each) for each in template.places] if template else [])


@bp.post("/materials/<int:id>/places")
@requires(Permission.MATERIALS_MANAGE)
def save_places(id: int) -> ResponseReturnValue:
    """Lay the places; without any it is an ordinary material."""
    asset = _asset(id)
    wrong: dict[str, str] = {}
    given = [place for what in WHAT if (place := _given(asset, what, wrong))]
    if not wrong:
        try:
            with transaction():
                branding.save(asset, given)
        except HubError as error:
            wrong[""] = str(error.message)
    if wrong:
        return _page(asset, given, wrong), 422
    flash(_("Saved."))
    return redirect(url_for("materials.places", id=id), 303)


def _page(asset: Asset, given: list[Place], wrong: dict[str, str] | None = None) -> str:
    unit = _unit(asset)
    by_what = {place.what: _in_unit(place, 1 / unit) for place in given}
    return render_template(
        "materials/places.html",
        asset=asset,
        what=WHAT,
        places=by_what,
        align=ALIGN,
        wrong=wrong or {},
        unit="px" if unit == 1 else "mm",
        is_template=branding.template_of(asset) is not None,
        partner=visiting.partner_asked(),
    )


def _given(asset: Asset, what: str, wrong: dict[str, str]) -> Place | None:
    """One row of the form; None when it was left empty. What is wrong with it is noted."""
    raw = {
        name: request.form.get(f"{what}-{name}", "").strip().replace(",", ".")
        for name in ("x", "y", "width", "height")
    }
    if not raw["width"] and not raw["height"]:
        return None
    try:
        x, y, width, height = (float(raw[name] or 0) for name in ("x", "y", "width", "height"))
        page = int(request.form.get(f"{what}-page") or 1)
    except ValueError:
        wrong[what] = _("Position and size are numbers.")
        return None
    align, colour = request.form.get(f"{what}-align", "left"), request.form.get(f"{what}-colour", "")
    place = Place(
        what,
        x,
        y,
        width,
        height,
        page,
        align if align in ALIGN else "left",
        colour if _is_colour(colour) else Place.colour,
    )
    if not (
        isfinite(x + y + width + height)
        and x >= 0
        and y >= 0
        and width > 0
        and height > 0
        and 0 < page <= branding.MOST_PAGES
    ):
        wrong[what] = _("Position and size are numbers from zero on; a place has a width and a height.")
    elif asset.width and asset.height and (x + width > asset.width or y + height > asset.height):
        wrong[what] = _("This place reaches beyond the picture, which is %(size)s.", size=asset.size)
    elif x + width > 5000 or y + height > 5000:
        wrong[what] = _("This place lies beyond any page.")
    return _in_unit(place, _unit(asset))


def _is_colour(text: str) -> bool:
    return len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])


def _unit(asset: Asset) -> float:
    """How many of the place's units the form's unit is."""
    return 1 if asset.kind is Kind.IMAGE else _POINTS


def _in_unit(place: Place, factor: float) -> Place:
    sizes = {name: round(getattr(place, name) * factor, 2) for name in ("x", "y", "width", "height")}
    return replace(place, **sizes)
