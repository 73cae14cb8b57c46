"""Materials and clicks for programs, with a bearer token: what its owner may see, with their own link inside."""

from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import joinedload

from ..core.access import Permission, requires
from ..core.i18n import iso
from ..core.links import absolute
from ..core.paging import page
from . import embedding, gallery, requesting, visits
from .gallery import Filters
from .models import Asset, Click

bp = Blueprint("materials_api", __name__, url_prefix="/api/v1")
USUAL, MOST = 100, 500
CLICKS_USUAL, CLICKS_MOST = 1000, 5000


@bp.get("/materials", endpoint="index")
@requires(Permission.MATERIALS_VIEW)
def index() -> ResponseReturnValue:
    """Materials, the newest first: `kind`, `size`, `lang`, `campaign` (id or name), `tag`, `limit`, `cursor`."""
    filters = Filters.read(gallery.with_campaign_ids(current_user, request.args))
    found = page(
        gallery.chosen(current_user, filters).options(joinedload(Asset.current), joinedload(Asset.campaign)),
        request.args.get("cursor"),
        Asset.released_at,
        Asset.id,
        size=_limit(USUAL, MOST),
    )
    who, not_yet = embedding.viewer(current_user), requesting.not_yet(found, current_user)
    materials = [
        _about(asset) | (_on_request(asset) if asset.id in not_yet else _material(asset, who))
        for asset in found
    ]
    return jsonify(materials=materials, next=found.older)


def _about(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.id,
        "kind": str(asset.kind),
        "title": asset.title,
        "size": f"{asset.width}x{asset.height}" if asset.width else None,
        "genre": str(asset.genre) if asset.genre else None,
        "lang": asset.locale,
        "campaign": asset.campaign.name if asset.campaign else None,
        "rights": asset.rights,
        "valid_from": iso(asset.valid_from) if asset.valid_from else None,
        "valid_until": iso(asset.valid_until) if asset.valid_until else None,
    }


def _material(asset: Asset, who: embedding.Viewer) -> dict[str, Any]:
    code = embedding.codes(asset, who.code)[0]
    text = asset.current.text
    return {
        "file_url": embedding.file_url(asset, who.code),
        "link": embedding.link(who.code, asset),
        "coupon": who.coupon,
        "embed_code": embedding.fill_in(text, who, asset) if text else code.text,
        "ask_url": None,
    }


def _on_request(asset: Asset) -> dict[str, Any]:
    """What the caller has to ask for first has no file and no code."""
    ask = absolute("materials.ask", id=asset.id)
    return {"file_url": None, "link": None, "embed_code": None, "ask_url": ask}


@bp.get("/clicks", endpoint="clicks")
@requires(Permission.MATERIALS_VIEW)
def clicks() -> ResponseReturnValue:
    """The caller's clicks from one day to another, the newest first, and how many of each kind there are.

    `from` and `to` are days of the programme, both included; without them the last thirty.
    """
    days = visits.span(request.args.get("from"), request.args.get("to"))
    found = visits.clicks(current_user, days)
    counts = visits.by_day(found, days)
    total = visits.total(counts)
    shown = page(
        found.options(joinedload(Click.asset)),
        request.args.get("cursor"),
        Click.at,
        Click.id,
        size=_limit(CLICKS_USUAL, CLICKS_MOST),
    )
    by_day = [
        {"day": day.isoformat(), "visits": count.visits, "repeats": count.repeats, "bots": count.bots}
        for day, count in counts.items()
    ]
    return jsonify(
        {
            "from": days.first.isoformat(),
            "to": days.last.isoformat(),
            "total": total.all,
            "visits": total.visits,
            "repeats": total.repeats,
            "bots": total.bots,
            "days": by_day,
            "clicks": [_click(click) for click in shown],
            "next": shown.older,
        }
    )


def _click(click: Click) -> dict[str, Any]:
    return {
        "id": click.uid,
        "at": _exact(click.at),
        "material": click.asset_id,
        "title": click.asset.title if click.asset else None,
        "link": click.link,
        "site": click.referrer,
        "kind": str(click.kind),
    }


def _exact(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _limit(usual: int, most: int) -> int:
    return max(1, min(request.args.get("limit", usual, type=int), most))
