"""Codes to place on a site, with the partner's own referral link inside."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from markupsafe import Markup, escape
from sqlalchemy import or_, select

from ..core import clock
from ..core.database import db
from ..core.i18n import Text, _l
from ..core.links import absolute
from ..core.settings import settings
from ..core.uploads import TYPES
from ..partners.models import Coupon, Partner, PartnerStatus
from ..partners.service import partner_of
from .models import Asset, Visibility

#: Shown to the team, who have no code of their own.
SAMPLE_CODE = "SAMPLE"


@dataclass(frozen=True)
class Viewer:
    """In whose name codes are written."""

    code: str
    name: str
    coupon: str | None
    is_sample: bool = False


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
    now = clock.now()
    coupon = db.session.scalar(
        select(Coupon.code)
        .where(
            Coupon.partner_id == partner.id,
            Coupon.starts_at <= now,
            or_(Coupon.ends_at.is_(None), Coupon.ends_at > now),
        )
        .order_by(Coupon.id.desc())
        .limit(1)
    )
    return Viewer(partner.code, partner.name, coupon)


def link(code: str, asset: Asset | None = None, to: str | None = None) -> str:
    """The referral link of a partner, through an asset and to a page when given."""
    url = (
        absolute("materials.go", code=code, public_id=asset.public_id)
        if asset
        else absolute("materials.go", code=code)
    )
    path = site_path(to) if to else None
    return f"{url}?{urlencode({'to': path}, safe='/')}" if path else url


def image_url(asset: Asset, code: str) -> str:
    """The picture's stable public address; one for chosen levels carries the partner's code."""
    ending = TYPES[asset.current.mime][1].lstrip(".")
    if asset.visibility is Visibility.ALL:
        return absolute("materials.picture", public_id=asset.public_id, ending=ending)
    return absolute("materials.picture_for", code=code, public_id=asset.public_id, ending=ending)


def codes(asset: Asset, code: str, to: str | None = None) -> list[Code]:
    """All codes for an asset, the most useful first."""
    target = link(code, asset, to)
    found: list[tuple[str, Text, str]] = []
    if asset.is_picture:
        source = image_url(asset, code)
        found = [
            ("html", _l("HTML"), _html(asset, target, source)),
            ("markdown", _l("Markdown"), f"[![{_markdown(asset.title)}]({source})]({target})"),
            ("bbcode", _l("BBCode"), f"[url={target}][img]{source}[/img][/url]"),
        ]
    found.append(("link", _l("Link only"), target))
    return [Code(key, label, text, _mark(text, code)) for key, label, text in found]


def fill_in(text: str, who: Viewer, asset: Asset, to: str | None = None) -> str:
    """A ready text with the partner's link, coupon and name; `{coupon}` stays for those without one."""
    values = {"link": link(who.code, asset, to), "name": who.name}
    if who.coupon:
        values["coupon"] = who.coupon
    return re.sub(r"\{(link|coupon|name)\}", lambda match: values.get(match[1], match[0]), text)


# --- Where links lead ------------------------------------------------------


#: Marks of a campaign that travel with a link to the site.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


def destination(
    to: str | None, landing: str | None, code: str | None, marks: Mapping[str, str] | None = None
) -> str:
    """The address on the programme's site a referral link leads to, with `ref=` for whom it counts.

    `marks` are UTM parameters of the link; they replace those of the page, so that none comes twice.
    Built from the site's own origin, so that nothing in `to` can lead elsewhere.
    """
    site = urlsplit(settings.programme_site)
    target = site_path(to) or site_path(landing) or "/"
    parts = urlsplit(target)
    given = {name: value[:200] for name, value in (marks or {}).items() if name in UTM and value}
    own = parse_qsl(parts.query, keep_blank_values=True)
    query = [(name, value) for name, value in own if name != "ref" and name not in given]
    query += [*given.items(), *([("ref", code)] if code else [])]
    path = site.path.rstrip("/") + quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    return f"{site.scheme}://{site.netloc}{path}" + (f"?{urlencode(query)}" if query else "")


def site_path(to: str | None) -> str | None:
    """Path and query of an address on the programme's site; None for any other."""
    if not to or len(to) > 2000 or "\\" in to or any(ord(c) <= 32 or ord(c) == 127 for c in to):
        return None
    site = urlsplit(settings.programme_site)
    try:
        parts = urlsplit(to)
        if parts.scheme or parts.netloc:
            own = (
                parts.scheme in ("http", "https")
                and parts.hostname == site.hostname
                and parts.username is None
            )
            if not own or parts.port not in (None, site.port):
                return None
    except ValueError:
        return None
    if not parts.path.startswith("/") and (parts.path or not parts.netloc):
        return None
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def partner_by_code(code: str) -> Partner | None:
    """The active partner a code belongs to, however it was typed."""
    return db.session.scalar(
        select(Partner).where(Partner.code == code.strip().upper(), Partner.status == PartnerStatus.ACTIVE)
    )


# --- Escaping --------------------------------------------------------------


def _html(asset: Asset, target: str, source: str) -> str:
    size = f' width="{asset.width}" height="{asset.height}"' if asset.width else ""
    return f'<a href="{html.escape(target)}">\n  <img src="{html.escape(source)}"{size} alt="{html.escape(asset.title)}">\n</a>'


def _markdown(text: str) -> str:
    return re.sub(r"([\\\[\]`*_<>])", r"\\\1", text)


def _mark(text: str, code: str) -> Markup:
    return Markup("<mark>{}</mark>").format(code).join(escape(part) for part in text.split(code))
