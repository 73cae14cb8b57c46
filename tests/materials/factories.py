"""Materials to test with: real pictures, stored for real."""

import io
import zipfile
from types import SimpleNamespace

from PIL import Image
from werkzeug.datastructures import FileStorage

from hub.core.database import db
from hub.materials import branding, receiving, requesting, service
from hub.materials.branding import Place
from hub.materials.models import Asset, Campaign, Download, Favourite, Kit, KitItem, Visibility
from hub.partners.levels import ensure_ladder
from hub.partners.models import Tier


def picture(size=(300, 250), color="teal", fmt="PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, fmt)
    return out.getvalue()


def upload(content: bytes | None = None, name: str = "banner.png") -> FileStorage:
    return FileStorage(io.BytesIO(picture() if content is None else content), filename=name)


def make_asset(author, *, content: bytes | None = None, name: str = "banner.png", **details) -> Asset:
    """A published banner of 300 × 250, unless told otherwise."""
    examined, stored = service.keep(upload(content, name))
    return service.add_file(author, examined, stored, {"title": "Banner", **details})


def html5() -> bytes:
    """An HTML5 banner of 300 × 250."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", '<meta name="ad.size" content="width=300,height=250">')
    return out.getvalue()


def make_text(author, text: str = "See {link}, code {coupon}, yours {name}", **details) -> Asset:
    return service.add_text(author, text, {"title": "Letter", **details})


def make_tiers() -> dict[str, Tier]:
    return {tier.key: tier for tier in ensure_ladder()}


def make_campaign(author, name: str = "Spring") -> Campaign:
    return service.save_campaign(author, {"en": name})


def gold_asset(cast) -> Asset:
    """A banner for Gold partners; Acme is Gold, Other is Silver."""
    tiers = make_tiers()
    cast.acme.tier_id, cast.other_org.tier_id = tiers["gold"].id, tiers["silver"].id
    db.session.flush()
    return make_asset(
        cast.manager, title="Gold only", name="gold.png", content=picture((728, 90), "gold"),
        visibility=Visibility.CHOSEN, readers=["tier:gold"],
    )  # fmt: skip


def ask_first(cast, asset: Asset) -> Asset:
    """The asset, given out on request from now on."""
    service.edit(asset, cast.manager, {"needs_approval": True})
    return asset


def sample(cast) -> dict[str, object]:
    """Names for the golden table: `gold` is Acme's level's, `asset` everyone's."""
    campaign = make_campaign(cast.manager)
    asset = make_asset(cast.manager, campaign_id=campaign.id, locale="en", tags=["spring"])
    gold = gold_asset(cast)
    text = make_text(cast.manager)
    hidden = make_asset(cast.manager, title="Draft", status="draft")
    branded = gold_asset(cast)
    branding.save(branded, [Place("name", 10, 10, 300, 40)])
    banner = make_asset(cast.manager, title="Play", content=html5(), name="play.zip")
    from hub.materials.tasks import thumbnails

    db.session.commit()
    thumbnails()
    db.session.add(
        Download(
            version_id=asset.current.id,
            partner_id=cast.acme.id,
            user_id=cast.partner.id,
        )
    )
    kit = Kit(name="Autumn", user_id=cast.partner.id)
    shared = Kit(name="Starter", user_id=cast.manager.id, is_shared=True)
    db.session.add_all([kit, shared])
    db.session.flush()
    for each in (kit, shared):
        db.session.add_all([KitItem(kit_id=each.id, asset_id=item.id) for item in (asset, gold, text)])
    wanted = ask_first(cast, make_asset(cast.manager, title="On request", content=picture(color="pink")))
    asked = requesting.ask(wanted, cast.partner, "A review", "https://acme.example")
    coming = receiving.begin(cast.manager, "film.mp4", 80_000_000)
    db.session.add(Favourite(user_id=cast.partner.id, asset_id=asset.id))
    db.session.flush()
    return SimpleNamespace(
        banner=banner.public_id,
        branded=branded.id,
        wanted=wanted.id,
        upload=coming.token,
        request=asked.id,
        kit=kit.id,
        shared=shared.id,
        asset=asset.id,
        gold=gold.id,
        text=text.id,
        hidden=hidden.id,
        campaign=campaign.id,
        public=asset.public_id,
        gold_public=gold.public_id,
        code=cast.acme.code,
    ).__dict__
