"""The demo's templates: a picture, a product sheet and an HTML5 banner with places for a partner, and a few logos."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import typst
from PIL import Image
from werkzeug.datastructures import FileStorage

from ..core import storage
from ..partners.models import Partner
from . import branding, service
from .branding import Place
from .demo_texts import SHEET
from .models import Asset

TITLES = {
    "en": "With your logo: {what}",
    "ru": "С вашим логотипом: {what}",
    "uk": "З вашим логотипом: {what}",
    "pl": "Z Twoim logo: {what}",
}
WITH = {
    "en": "Your bookkeeping partner",
    "ru": "Ваш партнёр по учёту",
    "uk": "Ваш партнер з обліку",
    "pl": "Twój partner w księgowości",
}
#: Code, colour and sign of partners who have given their logo.
LOGOS = (
    ("WOJCIK", "#7a2e1d", "W"),
    ("KRASNOVA", "#1d3f7a", "К"),
    ("BRIGHT", "#0b5a66", "B"),
    ("SHEVCHUK", "#5a3b0b", "Ш"),
)
BAND = 172
_MM = 72 / 25.4
#: On the band below a picture of 1200 × 628.
ON_PICTURE = [
    Place("logo", 36, 646, 220, 136),
    Place("name", 284, 650, 520, 62),
    Place("contact", 284, 712, 520, 34, colour="#42504d"),
    Place("link", 284, 748, 520, 30, colour="#0b5a66"),
    Place("coupon", 830, 672, 190, 84, align="center", colour="#c4552d"),
    Place("qr", 1036, 642, 144, 144),
]
#: In the box at the foot of an A4 page.
ON_SHEET = [
    Place("logo", 27 * _MM, 253 * _MM, 32 * _MM, 18 * _MM),
    Place("name", 64 * _MM, 250 * _MM, 84 * _MM, 10 * _MM),
    Place("contact", 64 * _MM, 260 * _MM, 84 * _MM, 6 * _MM, colour="#42504d"),
    Place("link", 64 * _MM, 266 * _MM, 84 * _MM, 6 * _MM, colour="#0b5a66"),
    Place("qr", 157 * _MM, 245 * _MM, 28 * _MM, 28 * _MM, align="right"),
]
BANNER = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="ad.size" content="width=300,height=250"><title>Nordbill</title><style>
body { margin: 0; width: 300px; height: 250px; box-sizing: border-box; padding: 22px; overflow: hidden; background: #12343b; color: #fff; font: 15px/1.4 Georgia, serif; }
b { display: block; margin-bottom: 8px; font-size: 25px; line-height: 1.15; }
a { position: absolute; left: 22px; bottom: 62px; padding: 7px 16px; border-radius: 20px; background: #f2b632; color: #12343b; text-decoration: none; }
p { position: absolute; left: 22px; right: 22px; bottom: 14px; display: flex; gap: 10px; align-items: center; margin: 0; max-height: 34px; overflow: hidden; overflow-wrap: anywhere; font-size: 12px; }
img { max-width: 70px; max-height: 30px; background: #fff; border-radius: 3px; }
</style></head><body><b>Invoices that chase themselves</b>10% off with {{coupon}}
<a href="{{link}}" target="_blank">Try Nordbill</a><p><img src="{{logo}}" alt="">{{name}}</p></body></html>"""

Keep = Callable[..., Asset]


def fill(partners: dict[str, Partner], keep: Keep, banner: Callable[[str], bytes]) -> list[Asset]:
    """Make them; `keep(locale, name, data, title)` makes an asset, `banner(locale)` draws a picture."""
    made = []
    for locale, words in TITLES.items():
        picture = keep(
            locale,
            f"nordbill-partner-{locale}.png",
            _with_band(banner(locale)),
            words.format(what="1200 × 800"),
        )
        branding.save(picture, ON_PICTURE)
        made.append(picture)
        if locale in SHEET:
            title = words.format(what=SHEET[locale]["title"])
            sheet = keep(locale, f"nordbill-partner-{locale}.pdf", _sheet(locale), title)
            branding.save(sheet, ON_SHEET)
            made.append(sheet)
    for code, colour, sign in LOGOS:
        if code in partners:
            partners[code].logo_key = storage.store(io.BytesIO(_logo(colour, sign)), limit=1_000_000).key
    return made


def html5(author: Any, details: service.Details) -> Asset:
    """The banner that is somebody's program, with marks to fill in."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", BANNER)
    out.seek(0)
    examined, stored = service.keep(FileStorage(out, filename="nordbill-partner.zip"))
    return service.add_file(author, examined, stored, details)


def _with_band(data: bytes) -> bytes:
    """The picture with room for the partner below it."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        whole = Image.new("RGB", (picture.width, picture.height + BAND), "white")
        whole.paste(picture.convert("RGB"))
    whole.save(out, "PNG", optimize=True)
    return out.getvalue()


def _sheet(locale: str) -> bytes:
    words = SHEET[locale] | {"partner": WITH[locale]}
    made = typst.compile(
        str(branding.HERE / "demo_sheet.typ"),
        format="pdf",
        sys_inputs={"sheet": json.dumps(words)},
        ignore_system_fonts=True,
    )
    return made if isinstance(made, bytes) else b""


def _logo(colour: str, sign: str) -> bytes:
    drawn = typst.compile(
        b"#set page(width: 120pt, height: 120pt, margin: 0pt, fill: none)\n"
        b"#box(width: 120pt, height: 120pt, radius: 26pt, fill: rgb(sys.inputs.colour),"
        b' align(center + horizon, text(font: "Libertinus Serif", size: 84pt, weight: 600, fill: white, sys.inputs.sign)))',
        format="png",
        ppi=144,
        sys_inputs={"colour": colour, "sign": sign},
        ignore_system_fonts=True,
    )
    return drawn if isinstance(drawn, bytes) else b""
