"""The page of clicks: a partner's own, or for the team everyone's."""

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ..core.access import Permission, requires, visible, visible_or_404
from ..core.database import db
from ..core.i18n import _, format_date
from ..partners.models import Partner
from . import visits
from .blueprint import bp
from .models import Asset


@bp.get("/materials/clicks")
@requires(Permission.MATERIALS_VIEW)
def clicks() -> ResponseReturnValue:
    """Clicks by day, material, link and site: `?from=&to=`, of one `?asset=`, and for the team of one `?partner=`."""
    days = visits.span(request.args.get("from"), request.args.get("to"))
    partner, asset = partner_asked(), asset_asked()
    found = visits.clicks(current_user, days, partner.id if partner else None, asset.id if asset else None)
    counts = visits.by_day(found, days)
    materials = visits.by_asset(found)
    return render_template(
        "materials/clicks.html",
        days=days,
        partner=partner,
        asset=asset,
        total=visits.total(counts),
        counts=counts,
        chart=_chart(counts),
        materials=materials,
        open_ids=_open(materials),
        links=[(link and visits.readable(link), count) for link, count in visits.by_link(found)],
        sites=visits.by_site(found),
    )


def partner_asked() -> Partner | None:
    """The partner of `?partner=`, if the viewer may see it."""
    code = request.args.get("partner")
    return visible_or_404(select(Partner).where(Partner.code == code.upper()), current_user) if code else None


def asset_asked() -> Asset | None:
    """The material of `?asset=`, if the viewer may see it."""
    id = request.args.get("asset", type=int)
    return visible_or_404(select(Asset).where(Asset.id == id), current_user) if id else None


def _open(materials: list[tuple[Asset | None, visits.Count]]) -> set[int]:
    """Materials whose page the viewer may still open."""
    ids = [asset.id for asset, _count in materials if asset]
    statement = visible(select(Asset), current_user).where(Asset.id.in_(ids))
    return set(db.session.scalars(statement.with_only_columns(Asset.id)))


def _chart(counts: dict[Any, visits.Count]) -> dict[str, Any]:
    return {
        "type": "bar",
        "labels": [format_date(day, "short") for day in counts],
        "series": [{"label": _("Visits"), "values": [count.visits for count in counts.values()]}],
    }
