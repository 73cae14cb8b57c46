"""Co-branding: a template's places filled in for one partner, quickly the second time.

Places lie on a picture or on the pages of a PDF. Typst draws what goes into them, in whatever size it fits: alone on a
transparent page, which Pillow lays over a picture, or over the pages of the PDF. An HTML5 banner names its places in
its `index.html`, as `{{name}}`. What partners wrote is data in all of them, never markup.
"""

import hashlib
import io
import json
import re
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from PIL import Image
from sqlalchemy import select

from ..core import clock, storage
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import Text, _l
from ..core.qr import qr_code
from ..core.settings import settings
from ..partners import links
from ..partners.models import Partner
from . import banners, embedding, service
from .models import Asset, AssetVersion, Kind, Template

HERE = Path(__file__).parent
#: What can stand in a place.
WHAT: dict[str, Text] = {
    "logo": _l("Logo"),
    "name": _l("Name of the organisation"),
    "link": _l("Link"),
    "coupon": _l("Promo code"),
    "qr": _l("QR code"),
    "contact": _l("Contact"),
}
ALIGN: dict[str, Text] = {"left": _l("Left"), "center": _l("Centre"), "right": _l("Right")}
MOST_PAGES, LONGEST = 40, 300
FOLDER, KEEP_DAYS = "cobranded", 30
#: Raise it when the same places would look otherwise.
_REVISION = 1
_PREVIEW_PPI = 110


class NoTemplate(Invalid):
    message = _l("Places can be laid on pictures and PDF files only.")


class LockedPdf(Invalid):
    message = _l(
        "This PDF cannot be read: it is damaged, locked or has more than %(count)s pages.", count=MOST_PAGES
    )


class Busy(HubError):
    """Something else is being drawn."""


class Drawing:
    """One at a time in a process: drawings are short, and a hundred at once would stop everything else."""

    #: Seconds between those that strangers ask for.
    PAUSE = 2.0

    def __init__(self) -> None:
        self.lock, self.next_for_passing = threading.Lock(), 0.0

    @contextmanager
    def turn(self, is_passing: bool) -> Iterator[None]:
        """Draw now. Who `is_passing` gets no turn while somebody draws, nor every second: raises Busy."""
        if not self.lock.acquire(blocking=not is_passing):
            raise Busy
        try:
            if is_passing:
                now = time.monotonic()
                if now < self.next_for_passing:
                    raise Busy
                self.next_for_passing = now + self.PAUSE
            yield
        finally:
            self.lock.release()


drawing = Drawing()


@dataclass(frozen=True)
class Place:
    """A box on a picture (in pixels) or a page (in points, from its top left corner) and what stands in it."""

    what: str
    x: float
    y: float
    width: float
    height: float
    page: int = 1
    align: str = "left"
    colour: str = "#12343b"


@dataclass(frozen=True)
class Brand:
    """What goes into the places in one partner's name."""

    code: str
    name: str
    link: str
    coupon: str
    contact: str
    logo_key: str | None = None

    @property
    def shown_link(self) -> str:
        return re.sub(r"^https?://", "", self.link)


def brand(partner: Partner | None, asset: Asset) -> Brand:
    """A partner's own; without one a sample, for the team."""
    if partner is None:
        who = embedding.Viewer(embedding.SAMPLE_CODE, str(_l("Sample partner")), "SAMPLE10", is_sample=True)
        return Brand(who.code, who.name, embedding.link(who.code, asset), who.coupon or "", "+47 22 00 00 00")
    address = links.short_link(partner.code, through=asset.public_id) or embedding.link(partner.code, asset)
    contact = partner.contact or (urlsplit(partner.website or "").hostname or "").removeprefix("www.")
    coupon = embedding.coupon_of(partner) or ""
    return Brand(partner.code, partner.name, address, coupon, contact, partner.logo_key)


def template_of(asset: Asset, version: AssetVersion | None = None) -> Template | None:
    """The places on an asset, or on an older version of it, if there are any."""
    return db.session.scalar(select(Template).where(Template.version_id == (version or asset.current).id))


def versions_with_places(asset: Asset) -> set[int]:
    """The ids of an asset's versions that are filled in for each partner."""
    versions = select(AssetVersion.id).where(AssetVersion.asset_id == asset.id)
    return set(db.session.scalars(select(Template.version_id).where(Template.version_id.in_(versions))))


def is_template(asset: Asset, version: AssetVersion | None = None) -> bool:
    """Is something filled in for each partner?"""
    version = version or asset.current
    if asset.kind is Kind.HTML:
        return bool(_MARK.search(banners.entry(version, banners.FIRST)[0]))
    if version is asset.current and not can_have_places(asset):
        return False
    return template_of(asset, version) is not None


def can_have_places(asset: Asset) -> bool:
    return asset.kind is Kind.IMAGE or asset.current.mime == "application/pdf"


def save(asset: Asset, places: list[Place]) -> None:
    """Lay these places on an asset; none make it an ordinary one again. Raises NoTemplate, LockedPdf."""
    if not can_have_places(asset):
        raise NoTemplate
    template = template_of(asset)
    if not places:
        if template:
            db.session.delete(template)
        return
    template = template or Template(version_id=asset.current.id)
    template.pages = len(page_sizes(asset)) if asset.kind is not Kind.IMAGE else 1
    template.places = [asdict(place) for place in places]
    template.changed_at = clock.now()
    db.session.add(template)
    db.session.flush()


# --- Filled in -------------------------------------------------------------


def filled(
    asset: Asset,
    template: Template | None,
    who: Brand,
    *,
    version: AssetVersion | None = None,
    preview: bool = False,
    is_passing: bool = False,
) -> Path:
    """The asset, or an older version, in a partner's name as a file, drawn when there is none yet.

    A PDF's `preview` is its first page as PNG.
    Who `is_passing` does not wait in line: raises Busy when there is something else to draw, or was lately.
    """
    version = version or asset.current
    as_picture = preview and version.mime == "application/pdf"
    ending = ".png" if as_picture else Path(version.filename).suffix
    said = {
        "revision": _REVISION,
        "content": version.sha256,
        "places": template.places if template else None,
        "who": asdict(who),
        "ending": ending,
    }
    key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    path = settings.home / FOLDER / key[:2] / f"{key}{ending}"
    if path.exists():
        with suppress(OSError):
            path.touch()  # it is of use: see `forget_unused`
        return path
    with drawing.turn(is_passing):
        if not path.exists():
            _write(path, _draw(version, template, who, as_picture=as_picture))
    return path


def filled_all(assets: list[Asset], partner: Partner | None) -> dict[int, Path]:
    """The templates among these assets in the partner's name, by the asset's id; the team takes them as they are."""
    if partner is None:
        return {}
    wanted = Template.version_id.in_([asset.current.id for asset in assets])
    templates = {each.version_id: each for each in db.session.scalars(select(Template).where(wanted))}
    return {
        asset.id: filled(asset, templates.get(asset.current.id), brand(partner, asset))
        for asset in assets
        if asset.current.id in templates or (asset.kind is Kind.HTML and is_template(asset))
    }


def forget_unused() -> int:
    """Delete what nobody has asked for in a month; how many files."""
    before, gone = clock.now().timestamp() - KEEP_DAYS * 86400, 0
    for path in (settings.home / FOLDER).glob("*/*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    return gone


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)


def _draw(version: AssetVersion, template: Template | None, who: Brand, *, as_picture: bool) -> bytes:
    if version.mime == "application/zip":
        return _zip(version, who)
    places = [Place(**place) for place in template.places] if template else []
    if version.mime == "application/pdf":
        return _pdf(version, places, who, as_picture=as_picture)
    return _picture(version, places, who)


def _picture(version: AssetVersion, places: list[Place], who: Brand) -> bytes:
    with Image.open(service.content(version)) as picture:
        form, mode, icc = picture.format or "PNG", picture.mode, picture.info.get("icc_profile")
        below = picture.convert("RGBA")
    with _folder(who) as folder:
        drawn = _typst(folder, [below.size], places, who, background=None, form="png", ppi=72)
    with Image.open(io.BytesIO(drawn)) as above:
        below.alpha_composite(above.convert("RGBA").resize(below.size))
    out = io.BytesIO()
    keeps_alpha = form in ("PNG", "WEBP") and (mode in ("RGBA", "LA", "PA") or mode == "P")
    options: dict[str, Any] = {"icc_profile": icc} if icc else {}
    if form in ("JPEG", "WEBP"):
        options["quality"] = 90
    below.convert("RGBA" if keeps_alpha else "RGB").save(out, form, **options)
    return out.getvalue()


def _pdf(version: AssetVersion, places: list[Place], who: Brand, *, as_picture: bool) -> bytes:
    with _folder(who) as folder:
        _put_pdf(folder, version)
        sizes = _sizes(folder)
        shown = sizes[:1] if as_picture else sizes
        form: Literal["png", "pdf"] = "png" if as_picture else "pdf"
        return _typst(folder, shown, places, who, background=_PDF, form=form, ppi=_PREVIEW_PPI)


# --- Typst -----------------------------------------------------------------

_PDF, _LOGO, _QR = "template.pdf", "logo.png", "qr.svg"


def _folder(who: Brand) -> Any:
    """A folder of its own for a drawing: Typst reads nothing outside of it."""
    folder = tempfile.TemporaryDirectory(prefix="hub-cobranding-")
    inside = Path(folder.name)
    (inside / "main.typ").write_bytes((HERE / "branding.typ").read_bytes())
    (inside / _QR).write_bytes(qr(who))
    if who.logo_key:
        with storage.open(who.logo_key) as logo:
            (inside / _LOGO).write_bytes(logo.read())
    return folder


def qr(who: Brand) -> bytes:
    """The link as a QR code in SVG, with the quiet zone that ISO/IEC 18004 asks for."""
    out = io.BytesIO()
    qr_code(who.link).save(out, kind="svg", scale=4, border=4, light="white", xmldecl=False)
    return out.getvalue()


def _typst(
    folder: str,
    pages: list[tuple[float, float]],
    places: list[Place],
    who: Brand,
    *,
    background: str | None,
    form: Literal["png", "pdf"],
    ppi: int,
) -> bytes:
    import typst  # 6 MB that few processes ever need

    job = {
        "pages": pages,
        "background": background,
        "places": [each for place in places if (each := _content(place, who))],
    }
    drawn = typst.compile(
        str(Path(folder) / "main.typ"),
        root=folder,
        format=form,
        ppi=ppi,
        sys_inputs={"job": json.dumps(job)},
        ignore_system_fonts=True,
    )
    return drawn[0] if isinstance(drawn, list) else drawn or b""


def _content(place: Place, who: Brand) -> dict[str, Any] | None:
    """A place as Typst gets it; None when there is nothing to put there."""
    given: dict[str, Any] = asdict(place)
    if place.what in ("link", "qr"):
        given["target"] = who.link
    if place.what == "qr":
        return given | {"file": _QR}
    if place.what == "logo" and who.logo_key:
        return given | {"file": _LOGO}
    text = {
        "logo": who.name,
        "name": who.name,
        "link": who.shown_link,
        "coupon": who.coupon,
        "contact": who.contact,
    }
    words = "".join(c if c.isprintable() else " " for c in text[place.what][:LONGEST]).split()
    return given | {"words": words, "pieces": list(" ".join(words))} if words else None


def page_sizes(asset: Asset) -> list[tuple[float, float]]:
    """Width and height of a PDF's pages in points. Raises LockedPdf."""
    with tempfile.TemporaryDirectory(prefix="hub-cobranding-") as folder:
        _put_pdf(folder, asset.current)
        return _sizes(folder)


def _put_pdf(folder: str, version: AssetVersion) -> None:
    (Path(folder) / _PDF).write_bytes(service.content(version).read())
    (Path(folder) / "sizes.typ").write_bytes((HERE / "branding_sizes.typ").read_bytes())


def _sizes(folder: str) -> list[tuple[float, float]]:
    """Typst tells no number of pages: ever more are asked for until one is missing, then the gap is halved."""
    found: list[tuple[float, float]] = []
    few, many = 0, 1
    while (more := _measure(folder, many)) is not None:
        found, few, many = more, many, many * 2
        if few >= MOST_PAGES * 2:
            raise LockedPdf
    while many - few > 1:
        middle = (few + many) // 2
        measured = _measure(folder, middle)
        found, few, many = (measured, middle, many) if measured is not None else (found, few, middle)
    if not found or len(found) > MOST_PAGES:
        raise LockedPdf
    return found


def _measure(folder: str, pages: int) -> list[tuple[float, float]] | None:
    import typst

    try:
        answer = typst.query(
            str(Path(folder) / "sizes.typ"),
            "<sizes>",
            field="value",
            one=True,
            root=folder,
            sys_inputs={"pages": str(pages)},
            ignore_system_fonts=True,
        )
    except RuntimeError:
        return None
    return [(float(width), float(height)) for width, height in json.loads(answer)]


# --- HTML5 banners ---------------------------------------------------------

_MARK = re.compile(rb"\{\{(name|link|coupon|contact|logo|qr)\}\}")
_RUNS = re.compile(r"(javascript|vbscript|data)\s*:", re.IGNORECASE)
LOGO, QR = "hub-logo.png", "hub-qr.svg"


def html(page: bytes, who: Brand) -> bytes:
    """A banner's first page with its marks filled in."""
    values = {
        "name": who.name,
        "link": who.link,
        "coupon": who.coupon,
        "contact": who.contact,
        "logo": LOGO,
        "qr": QR,
    }
    return _MARK.sub(lambda match: inert(values[match[1].decode()]).encode(), page)


def inert(text: str) -> str:
    """Text that says the same in HTML, in its attributes and in a script's string, and begins nothing in any of them.

    An address it becomes runs nothing either.
    """
    shown = _RUNS.sub(r"\1 ", "".join(c for c in text if c.isprintable()))
    return "".join(c if c.isalnum() or c in " .,-_/:" else f"&#{ord(c)};" for c in shown)


def beside(name: str, who: Brand) -> tuple[bytes, str] | None:
    """The logo or the QR code, as files that a banner finds beside its first page."""
    folder, _slash, last = name.rpartition("/")
    if folder or last not in (LOGO, QR):
        return None
    if last == QR:
        return qr(who), "image/svg+xml"
    if not who.logo_key:
        return _empty(), "image/png"
    with storage.open(who.logo_key) as logo:
        return logo.read(), "image/png"


def _zip(version: AssetVersion, who: Brand) -> bytes:
    """The banner's own files with the first page filled in, to be uploaded to an advertising network."""
    out = io.BytesIO()
    with storage.open(version.key or "") as stored, zipfile.ZipFile(stored) as archive:
        folder = banners.folder(archive) or ""
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            for entry in archive.infolist():
                if entry.is_dir() or entry.filename in (folder + LOGO, folder + QR):
                    continue
                data = archive.read(entry)
                made.writestr(
                    entry.filename, html(data, who) if entry.filename == folder + banners.FIRST else data
                )
            for name in (LOGO, QR):
                made.writestr(folder + name, (beside(name, who) or (b"", ""))[0])
    return out.getvalue()


@cache
def _empty() -> bytes:
    """Where a logo would be, when there is none. Drawn when asked for: Pillow's formats take 6 MB."""
    out = io.BytesIO()
    Image.new("RGBA", (1, 1)).save(out, "PNG")
    return out.getvalue()
