"""What can be done with promo materials."""

import codecs
import hashlib
import io
import re
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import func, select, update

from ..core import audit, clock, storage, uploads
from ..core.database import db
from ..core.errors import HubError, TooLarge
from ..core.i18n import _l, filesize
from ..core.jobs import ring
from ..core.settings import settings
from ..core.storage import Stored
from ..core.uploads import Examined
from . import banners
from .models import (
    Asset,
    AssetVersion,
    Campaign,
    Genre,
    Kind,
    Status,
    Template,
    ThumbnailState,
    Visibility,
)

TAGS_MOST = 12
#: Files that become ready texts.
READY_TEXTS = ("text/plain", "text/markdown")
#: Bytes of one: it is a row, shown whole and filled in at every look.
LONGEST_TEXT = 100_000
#: The job that tells search what has changed.
INDEX = "materials.index"


class WrongKind(HubError):
    """A new version must be what the asset already is: embed codes in the wild depend on it."""

    message = _l("The new version must be of the same kind as the old one.")


class Details(TypedDict, total=False):
    """What is said about an asset, besides its content."""

    title: str
    status: Status
    campaign_id: int | None
    locale: str | None
    tags: list[str]
    rights: str | None
    landing: str | None
    visibility: Visibility
    readers: list[str]
    needs_approval: bool
    genre: Genre | None
    valid_from: datetime | None
    valid_until: datetime | None
    zone: str | None
    replacement_id: int | None


def largest() -> int:
    """How many bytes a material may have."""
    return settings.max_material_mb * 1_000_000


def examine(file: Any) -> Examined:
    """What an upload is, with the size of a banner in it; raises TooLarge or BadFile."""
    examined = uploads.examine(file, limit=largest())
    if examined.mime in READY_TEXTS and examined.size > LONGEST_TEXT:
        raise TooLarge(
            _l(
                "A ready text has up to %(limit)s. Make a PDF or an Office file of a longer one.",
                limit=filesize(LONGEST_TEXT),
            )
        )
    if examined.kind == "archive" and (banner := banners.look(examined.stream)):
        examined = replace(examined, width=banner.width, height=banner.height)
    return examined


def digest(examined: Examined) -> str:
    """What the library remembers a file by; a text without the mark that some editors put before it."""
    found, stream = hashlib.sha256(), examined.stream
    stream.seek(0)
    if examined.mime in READY_TEXTS:
        found.update(stream.read().removeprefix(codecs.BOM_UTF8))
    while chunk := stream.read(storage.CHUNK):
        found.update(chunk)
    stream.seek(0)
    return found.hexdigest()


def keep(file: Any) -> tuple[Examined, Stored]:
    """Examine and store an upload, before any transaction: it may take a while."""
    examined = examine(file)
    return examined, storage.store(examined.stream, limit=max(examined.size, 1))


def add_file(author: Any, examined: Examined, stored: Stored, details: Details) -> Asset:
    """Make an asset of an examined and stored file; without a title it is called like the file.

    A text becomes a ready text.
    """
    title = details.get("title") or title_from(examined.name)
    if examined.mime in READY_TEXTS:
        examined.stream.seek(0)
        return add_text(author, examined.stream.read().decode("utf-8-sig"), {**details, "title": title})
    asset = _new(
        author,
        _kind(examined),
        {**details, "title": title},
    )
    _add_version(asset, author, _file_version(examined, stored))
    return asset


def add_text(author: Any, text: str, details: Details) -> Asset:
    """Make an asset of a ready text; `{link}`, `{coupon}` and `{name}` are filled in per partner."""
    asset = _new(author, Kind.TEXT, details)
    _add_version(asset, author, _text_version(asset, text))
    return asset


def add_version(asset: Asset, author: Any, examined: Examined, stored: Stored) -> AssetVersion:
    """Show a new file under the asset's old addresses. Raises WrongKind for another kind of file."""
    kind = _kind(examined)
    if {kind, asset.kind} - {Kind.IMAGE, Kind.ANIMATED} and kind != asset.kind:
        raise WrongKind
    asset.kind = kind
    old = db.session.scalar(select(Template).where(Template.version_id == asset.current.id))
    version = _add_version(asset, author, _file_version(examined, stored))
    if old and kind is not Kind.ANIMATED:  # places laid anew are the new version's alone
        db.session.add(Template(version_id=version.id, places=old.places, pages=old.pages))
    audit.record(author, "asset.new_version", f"asset:{asset.id}", after={"number": version.number})
    return version


def rewrite(asset: Asset, author: Any, text: str) -> None:
    """Give a ready text new words, as a new version; the same words change nothing."""
    if asset.current.text != text:
        _add_version(asset, author, _text_version(asset, text))


def edit(asset: Asset, author: Any, details: Details) -> None:
    """Change what is said about an asset. Publishing a draft makes it new today.

    Only a draft changes its status so: what was published stands on partners' sites, and is archived instead.
    """
    before = _facts(asset)
    if asset.status is not Status.DRAFT:
        details.pop("status", None)
    elif details.get("status") is Status.PUBLISHED:
        asset.released_at = clock.now()
    _describe(asset, details)
    audit.record(author, "asset.edited", f"asset:{asset.id}", before=before, after=_facts(asset))


def archive(asset: Asset, author: Any) -> None:
    """Take an asset out of the gallery; codes that partners have placed keep leading to the site."""
    asset.status = Status.ARCHIVED
    _changed(asset)
    audit.record(author, "asset.archived", f"asset:{asset.id}")


def restore(asset: Asset, author: Any) -> None:
    """Take an asset out of the archive."""
    asset.status = Status.PUBLISHED
    _changed(asset)
    audit.record(author, "asset.restored", f"asset:{asset.id}")


def save_campaign(author: Any, names: dict[str, str], campaign: Campaign | None = None) -> Campaign:
    """Add a campaign, or rename one."""
    before = campaign.names if campaign else None
    campaign = campaign or Campaign()
    campaign.names = {locale: name for locale, name in names.items() if name}
    db.session.add(campaign)
    db.session.flush()
    db.session.execute(update(Asset).where(Asset.campaign_id == campaign.id).values(is_stale=True))
    ring(INDEX)
    audit.record(author, "campaign.saved", f"campaign:{campaign.id}", before=before, after=campaign.names)
    return campaign


def same_file(sha256: str) -> Asset | None:
    """An asset that already shows this very file."""
    return db.session.scalar(
        select(Asset)
        .join(AssetVersion, AssetVersion.asset_id == Asset.id)
        .where(AssetVersion.sha256 == sha256, AssetVersion.is_current)
        .order_by(Asset.id)
        .limit(1)
    )


def title_from(filename: str) -> str:
    """“black-friday_300x250.png” → “Black friday 300x250”."""
    words = re.sub(r"[-_\s]+", " ", filename.rpartition(".")[0] or filename).strip()
    return (words[:1].upper() + words[1:])[:200] or filename


def clean_tags(text: str) -> list[str]:
    """Tags from a line with commas: lower case, without doubles."""
    names = (re.sub(r"\s+", " ", part).strip().lower()[:40] for part in text.split(","))
    return sorted({name for name in names if name})[:TAGS_MOST]


# --- Within ----------------------------------------------------------------


def _kind(examined: Examined) -> Kind:
    if examined.kind == "archive" and examined.width:  # only a banner among archives has a size
        return Kind.HTML
    return Kind.DOCUMENT if examined.kind in ("archive", "text") else Kind(examined.kind)


def _new(author: Any, kind: Kind, details: Details) -> Asset:
    asset = Asset(kind=kind, author_id=author.id if author else None)
    _describe(asset, details)
    db.session.add(asset)
    db.session.flush()
    audit.record(author, "asset.added", f"asset:{asset.id}", after=_facts(asset))
    return asset


def _describe(asset: Asset, details: Details) -> None:
    if "valid_until" in details and details["valid_until"] != asset.valid_until:
        asset.ending_told_at = None
    for name, value in details.items():
        setattr(asset, name, value)
    if asset.visibility is not Visibility.CHOSEN:
        asset.readers = []
    _release(asset)
    _changed(asset)
    db.session.flush()


def _release(asset: Asset) -> None:
    """What may be used later only is new then, and not when it came."""
    now = clock.now()
    if asset.valid_from and asset.valid_from > now:
        asset.released_at = asset.valid_from
    elif asset.released_at and asset.released_at > now:  # its first day was put forward
        asset.released_at = now


def _changed(asset: Asset) -> None:
    """What search knows about the asset is out of date, and so are the gallery's counts."""
    asset.is_stale, asset.updated_at = True, clock.now()
    ring(INDEX)


def _facts(asset: Asset) -> dict[str, Any]:
    return {
        "title": asset.title,
        "status": asset.status,
        "visibility": asset.visibility,
        "readers": asset.readers,
        "needs_approval": asset.needs_approval,
        "locale": asset.locale,
        "tags": asset.tags,
    }


def _file_version(examined: Examined, stored: Stored) -> AssetVersion:
    picture = examined.kind in ("image", "animated")
    return AssetVersion(
        key=stored.key,
        sha256=stored.sha256,
        size=stored.size,
        mime=examined.mime,
        filename=examined.name,
        width=examined.width,
        height=examined.height,
        duration_ms=examined.duration_ms,
        thumbnail_state=ThumbnailState.PENDING if picture else ThumbnailState.NONE,
    )


def _text_version(asset: Asset, text: str) -> AssetVersion:
    data = text.encode()
    return AssetVersion(
        text=text,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        mime="text/plain",
        filename=uploads.safe_name(f"{asset.title}.txt"),
    )


def _add_version(asset: Asset, author: Any, version: AssetVersion) -> AssetVersion:
    # One after the other: of two at once each gets a number, and the later one is shown.
    db.session.execute(select(Asset.id).where(Asset.id == asset.id).with_for_update(key_share=True))
    db.session.execute(update(AssetVersion).where(AssetVersion.asset_id == asset.id).values(is_current=False))
    newest = db.session.scalar(select(func.max(AssetVersion.number)).where(AssetVersion.asset_id == asset.id))
    version.asset_id, version.number = asset.id, (newest or 0) + 1
    version.author_id = author.id if author else None
    version.is_current = True
    asset.width, asset.height, asset.colour = version.width, version.height, None
    db.session.add(version)
    db.session.flush()
    db.session.expire(asset, ["versions", "current"])
    _changed(asset)
    if version.thumbnail_state is ThumbnailState.PENDING:
        ring("materials.thumbnails")
    return version


def content(version: AssetVersion) -> io.BytesIO:
    """A version's content in memory, for pictures."""
    with storage.open(version.key or "") as stored:
        return io.BytesIO(stored.read())
