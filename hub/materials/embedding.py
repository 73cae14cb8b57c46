"""Codes to place on a site, with the partner's own referral link inside."""

import html
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape
from sqlalchemy import or_, select

from ..core import clock
from ..core.database import db
from ..core.i18n import Text, _l
from ..core.links import absolute
from ..core.uploads import TYPES
from ..partners.links import page_of, referral_link
from ..partners.models import Coupon, Partner, PartnerStatus
from ..partners.service import partner_of
from . import banners
from .models import Asset, Kind, Status

#: Shown to the team, who have no code of their own.
SAMPLE_CODE = "SAMPLE"


@dataclass(frozen=True)
class Viewer:
    """In whose name codes are written."""

    code: str
    name: str
    coupon: str | None
    is_sample: bool = False
    counts: bool = True  # do visits and sales by this code count?


@dataclass(frozen=True)
class Code:
    """One way to place an asset; `marked` has the partner's code highlighted."""

    key: str
    label: Text
    text: str
    marked: Markup


def viewer(user: Any) -> Viewer:
    """The partner behind `user`, or a sample for the team."""
    partner = partner_of(user)
    if partner is None:
        return Viewer(SAMPLE_CODE, str(_l("Sample partner")), "SAMPLE10", is_sample=True)
    counts = partner.status is PartnerStatus.ACTIVE
    return Viewer(partner.code, partner.name, coupon_of(partner), counts=counts)


def coupon_of(partner: Partner) -> str | None:
    """The partner's newest coupon that is valid now."""
    now = clock.now()
    return db.session.scalar(
        select(Coupon.code)
        .where(
            Coupon.partner_id == partner.id,
            Coupon.starts_at <= now,
            or_(Coupon.ends_at.is_(None), Coupon.ends_at > now),
        )
        .order_by(Coupon.id.desc())
        .limit(1)
    )


def link(code: str, asset: Asset, to: str | None = None, **marks: str | None) -> str:
    """The referral link of a partner through an asset, and to a page when given; the asset's own when it is not one of ours."""
    return referral_link(code, page_of(to) or "", through=asset.public_id, **marks)


def image_url(asset: Asset, code: str) -> str:
    """The picture's stable public address; it carries the partner's code, by which views are counted."""
    ending = TYPES[asset.current.mime][1].lstrip(".")
    if not code:
        return absolute("materials.picture", public_id=asset.public_id, ending=ending)
    return absolute("materials.picture_for", code=code, public_id=asset.public_id, ending=ending)


def banner_url(asset: Asset, code: str) -> str:
    """The first page of an HTML5 banner, with the partner's code."""
    if not code:
        return absolute("materials.banner", public_id=asset.public_id, name=banners.FIRST)
    return absolute("materials.banner_for", code=code, public_id=asset.public_id, name=banners.FIRST)


def stage(asset: Asset, who: Viewer) -> str | None:
    """Where a page of ours shows an HTML5 banner from, if it may be seen at all; no page for a sample of a level."""
    can_play = asset.kind is Kind.HTML and asset.status is Status.PUBLISHED and asset.is_valid()
    if not can_play or (who.is_sample and not asset.is_open):
        return None
    return banner_url(asset, who.code)


def file_url(asset: Asset, code: str) -> str | None:
    """Where a program fetches the file: a picture where everyone sees it, other files with its token; texts have none."""
    if asset.is_picture:
        return image_url(asset, code)
    return absolute("materials.api_file", id=asset.id) if asset.current.key else None


def codes(asset: Asset, code: str, to: str | None = None, **marks: str | None) -> list[Code]:
    """All codes for an asset, the most useful first."""
    target = link(code, asset, to, **marks)
    found: list[tuple[str, Text, str]] = []
    if asset.is_picture:
        source = image_url(asset, code)
        found = [
            ("html", _l("HTML"), _html(asset, target, source)),
            ("markdown", _l("Markdown"), f"[![{_markdown(asset.title)}]({source})]({target})"),
            ("bbcode", _l("BBCode"), f"[url={target}][img]{source}[/img][/url]"),
            ("image", _l("Picture only"), source),
        ]
    if asset.kind is Kind.HTML:
        found = [("html", _l("HTML"), _frame(asset, target, code))]
    found.append(("link", _l("Link only"), target))
    return [Code(key, label, text, _mark(text, code)) for key, label, text in found]


def fill_in(text: str, who: Viewer, asset: Asset, to: str | None = None) -> str:
    """A ready text with the partner's link, coupon and name; `{coupon}` stays for those without one."""
    values = {"link": link(who.code, asset, to), "name": who.name}
    if who.coupon:
        values["coupon"] = who.coupon
    return re.sub(r"\{(link|coupon|name)\}", lambda match: values.get(match[1], match[0]), text)


def partner_by_code(code: str) -> Partner | None:
    """The active partner a code belongs to, however it was typed."""
    return db.session.scalar(
        select(Partner).where(Partner.code == code.strip().upper(), Partner.status == PartnerStatus.ACTIVE)
    )


# --- Escaping --------------------------------------------------------------


def _html(asset: Asset, target: str, source: str) -> str:
    size = f' width="{asset.width}" height="{asset.height}"' if asset.width else ""
    return f'<a href="{html.escape(target)}">\n  <img src="{html.escape(source)}"{size} alt="{html.escape(asset.title)}">\n</a>'


def _frame(asset: Asset, target: str, code: str) -> str:
    """A banner in a sandbox; it opens what it finds as `clickTag` in its address."""
    source = f"{banner_url(asset, code)}?{urlencode({'clickTag': target})}"
    return (
        f'<iframe src="{html.escape(source)}" width="{asset.width}" height="{asset.height}"'
        f' title="{html.escape(asset.title)}" sandbox="{banners.MAY}" loading="lazy" scrolling="no" frameborder="0"></iframe>'
    )


def _markdown(text: str) -> str:
    return re.sub(r"([\\\[\]`*_<>])", r"\\\1", text)


def _mark(text: str, code: str) -> Markup:
    return Markup("<mark>{}</mark>").format(code).join(escape(part) for part in text.split(code))
