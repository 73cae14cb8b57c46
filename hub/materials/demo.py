"""The demo's materials: campaigns, banners drawn by ourselves, ready texts, a product sheet, and a year of use."""

import io
import json
import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typst
from PIL import Image
from sqlalchemy import insert, select, update

from ..accounts.demo import Cast
from ..core import months, storage, uploads
from ..core.database import db
from ..core.uploads import Examined
from ..earnings.models import Attribution, Conversion, SaleKind
from ..partners.models import Membership, Partner
from . import crediting, demo_templates, service, using
from .clicks import site_of
from .demo_texts import CAMPAIGNS, RIGHTS, SHEET, TEXTS
from .models import Asset, AssetVersion, Campaign, Click, ClickKind, Download, Genre, Placement
from .using import Day, Site

HERE = Path(__file__).parent

#: (campaign, locale, sizes), from the oldest to the newest.
BANNERS = [
    ("business", "en", "300x250 728x90 970x250 1200x628"),
    ("business", "ru", "300x250 728x90"),
    ("business", "uk", "300x250"),
    ("business", "pl", "300x250 336x280"),
    ("freelancers", "en", "300x250 300x600"),
    ("freelancers", "pl", "300x250 1200x628"),
    ("freelancers", "ru", "300x250 1080x1080"),
    ("freelancers", "uk", "300x250 320x100"),
    ("annual", "en", "300x250 320x100 160x600"),
    ("annual", "ru", "300x250"),
    ("annual", "uk", "300x250 160x600"),
    ("annual", "pl", "300x250 970x250"),
    ("black-friday", "en", "300x250 728x90 160x600 1080x1080"),
    ("black-friday", "pl", "300x250 728x90"),
    ("black-friday", "uk", "300x250 728x90"),
    ("black-friday", "ru", "300x250 728x90 160x600"),
]
AGES = {"business": 330, "freelancers": 210, "annual": 95, "black-friday": 12}


def fill(cast: Cast, rng: random.Random) -> None:
    """Publish campaign after campaign, then let partners download and place things for a year."""
    campaigns = _campaigns(cast)
    assets = [
        *_banners(cast, campaigns),
        _animation(cast, campaigns),
        *_sheets(cast, campaigns),
        *_texts(cast, campaigns),
        *_templates(cast, campaigns),
    ]
    db.session.flush()
    for asset in assets:
        asset.new_told_at = asset.released_at
    _use(cast, rng, assets)
    cast.rooms["materials"] = {"assets": assets, "campaigns": campaigns}


def _campaigns(cast: Cast) -> dict[str, Campaign]:
    made = {}
    for key, campaign in CAMPAIGNS.items():
        with cast.at(days=AGES[key] + 3):
            made[key] = service.save_campaign(cast.anna, campaign["names"])
    return made


def _banners(cast: Cast, campaigns: dict[str, Campaign]) -> list[Asset]:
    wanted = [(key, locale, size) for key, locale, sizes in BANNERS for size in sizes.split()]
    pictures = draw([_order(key, locale, size) for key, locale, size in wanted])
    assets = []
    for number, ((key, locale, size), data) in enumerate(zip(wanted, pictures, strict=True)):
        with cast.at(days=AGES[key], hours=-number / 30):
            assets.append(
                _file(cast, campaigns, key, locale, name=f"nordbill-{key}-{locale}-{size}.png", data=data)
            )
    return assets


def _order(key: str, locale: str, size: str) -> dict[str, Any]:
    campaign = CAMPAIGNS[key]
    width, height = (int(part) for part in size.split("x"))
    look = {"palette": campaign["palette"], "picture": campaign["picture"]}
    return {"width": width, "height": height, **look, **campaign["words"][locale]}


def draw(orders: list[dict[str, Any]]) -> list[bytes]:
    """A PNG for each order; all of them in one run of typst."""
    drawn = typst.compile(
        str(HERE / "demo_banners.typ"),
        format="png",
        ppi=72,
        sys_inputs={"banners": json.dumps(orders)},
        ignore_system_fonts=True,
    )
    return drawn if isinstance(drawn, list) else [drawn]


def _animation(cast: Cast, campaigns: dict[str, Campaign]) -> Asset:
    """Black Friday, moving: the name, then the offer."""
    order = _order("black-friday", "en", "300x250")
    second = order | {"wide": order["second"], "subs": [], "picture": "columns"}
    frames = [Image.open(io.BytesIO(data)).convert("RGB").quantize(64) for data in draw([order, second])]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=[1800, 2600], loop=0)
    with cast.at(days=9):
        return _file(
            cast,
            campaigns,
            "black-friday",
            "en",
            name="nordbill-black-friday-en-300x250.gif",
            data=out.getvalue(),
        )


def _sheets(cast: Cast, campaigns: dict[str, Campaign]) -> list[Asset]:
    """The product on one page, as PDF."""
    made = []
    for locale, words in SHEET.items():
        pdf = typst.compile(
            str(HERE / "demo_sheet.typ"),
            format="pdf",
            sys_inputs={"sheet": json.dumps(words)},
            ignore_system_fonts=True,
        )
        with cast.at(days=150):
            made.append(
                _file(
                    cast,
                    campaigns,
                    "business",
                    locale,
                    name=f"nordbill-{locale}.pdf",
                    data=pdf,
                    title=words["title"],
                )
            )
    return made


def _templates(cast: Cast, campaigns: dict[str, Campaign]) -> list[Asset]:
    """Materials that are filled in with a partner's logo and name."""

    def keep(locale: str, name: str, data: bytes, title: str) -> Asset:
        return _file(cast, campaigns, "business", locale, name=name, data=data, title=title)

    def banner(locale: str) -> bytes:
        return draw([_order("business", locale, "1200x628")])[0]

    with cast.at(days=30):
        details = _details(campaigns, "business", "en", "With your logo: HTML5 banner")
        return [
            *demo_templates.fill(cast.partners, keep, banner),
            demo_templates.html5(cast.anna, details),
        ]


def _texts(cast: Cast, campaigns: dict[str, Campaign]) -> list[Asset]:
    made = []
    for days, (key, locale, tag, title, body) in zip(range(200, 0, -23), TEXTS, strict=False):
        with cast.at(days=min(days, AGES[key])):
            details = _details(campaigns, key, locale, title)
            made.append(
                service.add_text(cast.anna, body.strip(), {**details, "tags": [], "genre": Genre(tag)})
            )
    return made


def _file(
    cast: Cast,
    campaigns: dict[str, Campaign],
    key: str,
    locale: str,
    *,
    name: str,
    data: bytes,
    title: str = "",
) -> Asset:
    """An asset of a file we made ourselves and know."""
    mime = {"png": "image/png", "gif": "image/gif", "pdf": "application/pdf"}[name.rpartition(".")[2]]
    width = height = None
    if mime.startswith("image/"):
        width, height = Image.open(io.BytesIO(data)).size
    kind = {"image/png": uploads.Kind.IMAGE, "image/gif": uploads.Kind.ANIMATED}.get(
        mime, uploads.Kind.DOCUMENT
    )
    stream = io.BytesIO(data)
    examined = Examined(name, mime, kind, len(data), stream, width, height)
    stored = storage.store(stream, limit=len(data))
    title = title or CAMPAIGNS[key]["words"][locale]["title"]
    return service.add_file(cast.anna, examined, stored, _details(campaigns, key, locale, title))


def _details(campaigns: dict[str, Campaign], key: str, locale: str, title: str) -> service.Details:
    campaign = CAMPAIGNS[key]
    return {
        "title": title,
        "campaign_id": campaigns[key].id,
        "locale": locale,
        "tags": campaign["tags"],
        "rights": RIGHTS[locale],
        "landing": campaign["landing"],
    }


def _use(cast: Cast, rng: random.Random, assets: list[Asset]) -> None:
    """Downloads and clicks since each asset came out; keen partners do more of both."""
    members = db.session.execute(
        select(Membership.user_id, Membership.partner_id).order_by(Membership.id)
    ).all()
    if not members:
        return
    versions = dict(
        iter(
            db.session.execute(select(AssetVersion.asset_id, AssetVersion.id).where(AssetVersion.is_current))
        )
    )
    websites = dict(iter(db.session.execute(select(Partner.id, Partner.website))))
    downloads: dict[Any, dict[str, Any]] = {}
    clicks: list[dict[str, Any]] = []
    for asset in assets:
        age = max((cast.now - asset.released_at).total_seconds() / 86400, 1)
        for user_id, partner_id in rng.sample(members, min(len(members), rng.randint(1, 9))):
            begun = cast.now - timedelta(days=age * rng.random() ** 1.4)
            row = {
                "version_id": versions[asset.id],
                "partner_id": partner_id,
                "user_id": user_id,
                "at": begun,
            }
            downloads[row["version_id"], user_id] = row
            span = (cast.now - begun).total_seconds()
            clicks += [
                _click(
                    rng,
                    partner_id,
                    site_of(websites[partner_id]),
                    asset,
                    begun + timedelta(seconds=span * rng.random()),
                )
                for _n in range(rng.randint(0, 14))
            ]
    clicks += _bought(rng, assets, websites)
    db.session.execute(insert(Download), list(downloads.values()))
    db.session.execute(insert(Click), clicks)
    _sum_up(rng, list(downloads.values()), clicks, {id: asset_id for asset_id, id in versions.items()})
    counts: Counter[Any] = Counter()
    by_version: dict[Any, int] = {version_id: asset_id for asset_id, version_id in versions.items()}
    for row in downloads.values():
        counts[by_version[row["version_id"]]] += 1
    db.session.execute(update(Asset), [{"id": asset_id, "uses": count} for asset_id, count in counts.items()])


#: Of the sales by link, those for which the shop names the click.
NAMED_SHARE = 0.7


def _bought(rng: random.Random, assets: list[Asset], websites: dict[int, str | None]) -> list[dict[str, Any]]:
    """The clicks that customers came by, some hours or days before they paid; the shop names most of them."""
    by_link = Conversion.attribution == Attribution.LINK, Conversion.kind == SaleKind.SALE
    clicks = []
    for sale in db.session.scalars(select(Conversion).where(*by_link).order_by(Conversion.id)):
        seen = [asset for asset in assets if asset.released_at < sale.occurred_at]
        if not seen:
            continue
        at = sale.occurred_at - timedelta(hours=rng.uniform(0.2, 90))
        click = _click(
            rng,
            sale.partner_id,
            site_of(websites[sale.partner_id]),
            rng.choice(seen[: len(seen) // 2 + 1]),
            at,
        )
        clicks.append(click | {"kind": ClickKind.VISIT})
        if rng.random() < NAMED_SHARE:
            sale.click_id = click["uid"]
    return clicks


def _sum_up(
    rng: random.Random,
    downloads: list[dict[str, Any]],
    clicks: list[dict[str, Any]],
    asset_of: dict[int, int],
) -> None:
    """What the worker would have summed up by now."""
    taken = Counter(
        Day(asset_of[row["version_id"]], row["partner_id"], months.day_of(row["at"])) for row in downloads
    )
    visits = [row for row in clicks if row["kind"] is ClickKind.VISIT]
    days = Counter(Day(row["asset_id"], row["partner_id"], row["day"]) for row in visits)
    sites = Counter(
        Site(row["asset_id"], row["partner_id"], row["referrer"]) for row in visits if row["referrer"]
    )
    using.add("downloads", taken)
    using.add("visits", days)
    using.place("visits", sites)
    using.add("views", Counter({day: count * rng.randint(12, 70) for day, count in days.items()}))
    using.place("views", Counter({site: count * rng.randint(12, 70) for site, count in sites.items()}))
    seen: dict[str, datetime] = {}
    for row in visits:
        if row["referrer"]:
            seen[row["referrer"]] = max(row["at"], seen.get(row["referrer"], row["at"]))
    for site, at in seen.items():
        db.session.execute(update(Placement).where(Placement.site == site).values(last_at=at))
    while crediting.credit_some():
        pass
    crediting.rank()


#: Where partners' links stand, and how often.
OWN_SITE = "own"
SITES = (
    OWN_SITE,
    OWN_SITE,
    OWN_SITE,
    "t.me",
    "facebook.com",
    "google.com",
    "youtube.com",
    "linkedin.com",
    None,
)
_KINDS = [ClickKind.VISIT] * 15 + [ClickKind.REPEAT] * 3 + [ClickKind.BOT] * 2
_PAGES = (
    None,
    None,
    None,
    "to=/pricing",
    "to=/pricing&utm_source=telegram",
    "to=/plans/team&utm_source=blog",
)


def _click(
    rng: random.Random, partner_id: int, own: str | None, asset: Asset, at: datetime
) -> dict[str, Any]:
    """A visit through an asset, told like those of real visitors."""
    site = rng.choice(SITES)
    return {
        "uid": f"{rng.getrandbits(96):024x}",
        "partner_id": partner_id,
        "asset_id": asset.id,
        "kind": rng.choice(_KINDS),
        "at": at,
        "day": months.day_of(at),
        "link": rng.choice(_PAGES),
        "referrer": own if site == OWN_SITE else site,
    }
