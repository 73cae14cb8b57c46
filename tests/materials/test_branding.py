"""Templates are filled in for each partner: what they wrote fits its place, runs nowhere, and is drawn once."""

import html
import io
import re
import zipfile
from datetime import timedelta

import pytest
import typst
from PIL import Image, ImageChops
from sqlalchemy import func, select

from hub.accounts import tokens
from hub.core import clock, storage
from hub.core.database import db, transaction
from hub.materials import branding
from hub.materials.branding import Brand, Place
from hub.materials.models import Asset, Download, Kit, Template
from hub.partners import coupons, logos
from hub.partners.models import Partner
from tests.partners.factories import picture as logo

from .factories import make_asset, picture

SIZE = 600, 200
BACK = (250, 240, 230)
NAMES = (
    "Acme",
    "Товариство з обмеженою відповідальністю «Бухгалтерія та податки Шевченківського району»",
    "Щ" * 140,
    "ÅÄÖ gjpqy " * 12,
    '\\ ] ) #eval("1+1") #import "x": * $x^2$ _a_ <b> `c` @d ~ -- /* */ // "',
    "\x00\x07\u202e\u200b",
)


def who(**values) -> Brand:
    return Brand(
        **{
            "code": "ACME",
            "name": "Acme",
            "link": "http://127.0.0.1:8000/go/ACME/x",
            "coupon": "ACME10",
            "contact": "+48 22 123",
        }
        | values
    )


@pytest.fixture
def asset(cast) -> Asset:
    content = io.BytesIO()
    Image.new("RGB", SIZE, BACK).save(content, "PNG")
    asset = make_asset(cast.manager, title="Template", content=content.getvalue(), name="Шаблон.png")
    db.session.commit()
    return asset


def lay(asset: Asset, *places: Place) -> Template:
    with transaction():
        branding.save(asset, list(places))
    return branding.template_of(asset)


def drawn(asset: Asset, template: Template, brand: Brand) -> tuple[int, int, int, int] | None:
    """The box outside of which nothing of the picture has changed; None when nothing has."""
    made = Image.open(branding.filled(asset, template, brand)).convert("RGB")
    assert made.size == SIZE
    return ImageChops.difference(made, Image.new("RGB", SIZE, BACK)).getbbox()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("box", [(50, 40, 300, 60), (400, 20, 90, 24)])
def test_text_of_any_length_stays_in_its_place(asset, name, box):
    x, y, width, height = box
    found = drawn(asset, lay(asset, Place("name", *box)), who(name=name))
    if found is None:
        assert not "".join(c for c in name if c.isprintable()).strip()
        return
    left, top, right, bottom = found
    assert x <= left < right <= x + width
    assert y <= top < bottom <= y + height
    assert bottom - top >= 4, "it can be seen"


def test_short_text_is_as_large_as_its_place_lets_it(asset):
    _left, top, _right, bottom = drawn(asset, lay(asset, Place("coupon", 50, 40, 500, 100)), who())
    assert bottom - top > 45


def test_logo_qr_and_text_each_lie_in_their_place(asset, cast):
    key = logos.prepare(logo((800, 100), "red"))
    both = lay(asset, Place("logo", 10, 10, 100, 80), Place("qr", 480, 90, 100, 100))
    with_logo = Image.open(branding.filled(asset, both, who(logo_key=key))).convert("RGB")
    assert with_logo.getpixel((60, 50)) == (255, 0, 0)
    assert with_logo.getpixel((60, 15)) == BACK, "it keeps its shape"
    assert with_logo.getpixel((485, 95)) == (255, 255, 255), "a QR code has its quiet zone"
    assert drawn(asset, both, who())[0] >= 10, "without a logo the name stands there"


def test_a_pdf_keeps_its_pages_and_gets_links(cast):
    content = typst.compile(
        b"#set page(width: 200pt, height: 100pt)\nOne\n#pagebreak()\n#set page(width: 300pt)\nTwo\n#pagebreak()\nThree", format="pdf"
    )  # fmt: skip
    asset = make_asset(cast.manager, content=content, name="sheet.pdf")
    db.session.commit()
    template = lay(asset, Place("link", 20, 20, 150, 20, page=2), Place("name", 5, 5, 50, 20))
    assert template.pages == 3
    made = branding.filled(asset, template, who(name=NAMES[4])).read_bytes()
    assert made.startswith(b"%PDF")
    assert b"http://127.0.0.1:8000/go/ACME/x" in made
    asset.current.sha256 = "other"
    preview = Image.open(branding.filled(asset, template, who(), preview=True))
    assert preview.size == (round(200 * 110 / 72), round(100 * 110 / 72))


def test_what_cannot_have_places_is_refused(cast):
    broken = make_asset(cast.manager, content=b"%PDF-1.7\n%%EOF", name="broken.pdf")
    moving = make_asset(cast.manager, content=b"word", name="letter.txt")
    db.session.commit()
    for asset, error in ((broken, branding.LockedPdf), (moving, branding.NoTemplate)):
        with pytest.raises(error), transaction():
            branding.save(asset, [Place("name", 0, 0, 10, 10)])


def test_the_same_is_drawn_once_and_forgotten_when_nobody_asks(asset, monkeypatch):
    template, drawings = lay(asset, Place("name", 0, 0, 100, 20)), []
    draw = branding._draw
    monkeypatch.setattr(
        branding, "_draw", lambda *args, **options: drawings.append(1) or draw(*args, **options)
    )
    first = branding.filled(asset, template, who())
    assert branding.filled(asset, template, who()) == first
    assert branding.filled(asset, template, who(name="Other")) != first
    template = lay(asset, Place("name", 0, 0, 100, 30))
    assert branding.filled(asset, template, who()) != first
    assert len(drawings) == 3
    with clock.frozen(clock.now() + timedelta(days=31)):
        assert branding.forget_unused() >= 3
    assert not first.exists()


def test_an_old_version_is_drawn_with_the_places_it_had(asset, browse, manager, partner):
    lay(asset, Place("name", 10, 10, 200, 60))
    team, page = browse(manager), f"/materials/{asset.id}"
    before = team.get(f"{page}/own?partner=ACME").data
    new = io.BytesIO()
    Image.new("RGB", SIZE, "white").save(new, "PNG")
    new.seek(0)
    assert team.post(f"{page}/versions", data={"file": (new, "new.png")}).status_code == 303
    db.session.expire_all()
    after = team.get(f"{page}/own?partner=ACME").data
    assert Image.open(io.BytesIO(after)).getpixel((5, 5)) == (255, 255, 255)
    lay(asset, Place("name", 300, 90, 200, 60))
    assert team.get(f"{page}/own?partner=ACME").data != after, "laid anew"
    for door in ("own", "own/download"):
        assert team.get(f"{page}/{door}?partner=ACME&version=1").data == before
        assert browse(partner).get(f"{page}/{door}?version=1").status_code == 404
    assert team.get(f"{page}/edit").text.count("/own?version=") == 2


# --- Doors -----------------------------------------------------------------


def test_partners_see_and_take_it_in_their_own_name(
    asset, cast, browse, client, partner, other_partner, manager
):
    team = browse(manager)
    form = {
        "name-x": "10",
        "name-y": "10",
        "name-width": "580",
        "name-height": "90",
        "name-colour": "#ff0000",
    }
    assert team.post(f"/materials/{asset.id}/places", data=form).status_code == 303
    own, others = browse(partner), browse(other_partner)
    seen = own.get(f"/materials/{asset.id}/own")
    assert Image.open(io.BytesIO(seen.data)).size == SIZE
    assert seen.data != others.get(f"/materials/{asset.id}/own").data
    assert f"/materials/{asset.id}/own/download" in own.get(f"/materials/{asset.id}").text
    for _again in range(2):
        taken = own.get(f"/materials/{asset.id}/own/download")
    assert taken.data == seen.data
    assert "-acme.png" in taken.headers["Content-Disposition"]
    assert db.session.scalar(select(func.count(Download.id))) == 1
    assert client.get(f"/a/ACME/{asset.public_id}.png").data == seen.data, "in their codes too"
    assert client.get(f"/a/{asset.public_id}.png").data != seen.data
    kit = own.post("/materials/kits/add", data={"asset": asset.id}).headers["Location"]
    assert kit
    archive = own.get(f"/materials/kits/{db.session.scalars(select(Kit.id)).one()}/download")
    assert zipfile.ZipFile(io.BytesIO(archive.data)).read("Template 600x200.png") == seen.data
    long = team.get(f"/materials/{asset.id}/own?partner=ACME&long=1")
    assert long.data != team.get(f"/materials/{asset.id}/own?partner=ACME").data == seen.data


@pytest.mark.parametrize(
    "wrong",
    [
        {"name-width": "700"},
        {"name-x": "-1"},
        {"name-x": "nan"},
        {"name-height": "0"},
        {"name-y": "a"},
        {"name-x": "1e400"},
    ],
)
def test_places_lie_on_the_picture(asset, browse, manager, wrong):
    form = {"name-x": "0", "name-y": "0", "name-width": "100", "name-height": "20"} | wrong
    page = browse(manager).post(f"/materials/{asset.id}/places", data=form)
    assert page.status_code == 422
    assert "need another look" in page.text
    assert branding.template_of(asset) is None


def html5(page: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", f'<meta name="ad.size" content="width=300,height=250">{page}')
        archive.writestr("look.css", "b { color: red }")
    return out.getvalue()


def test_a_banners_marks_are_filled_in_and_run_nothing(cast, client, browse, partner):
    page = '<b title="{{name}}">{{name}}</b><script>var n = "{{name}}", t = `{{name}}`</script><img src="{{logo}}"><a href="{{link}}">{{coupon}}'
    asset = make_asset(cast.manager, title="Play", content=html5(page), name="play.zip")
    cast.acme.name = '</script><script>alert(1)</script>" onload="x" \\ ${alert(2)} `Łódź'
    coupons.assign(cast.acme, cast.manager, "ACME10")
    cast.acme.logo_key = logos.prepare(logo())
    db.session.commit()
    shown = client.get(f"/b/for/ACME/{asset.public_id}/index.html")
    assert shown.headers["Content-Security-Policy"].startswith("sandbox ")
    assert shown.text.count("<script>") == 1
    assert "alert&#40;1&#41;" in shown.text
    assert not re.search(r'n = "[^"]*[\\$`<]', shown.text)
    assert "Łódź" in shown.text
    assert f'href="http://127.0.0.1:8000/go/ACME/{asset.public_id}">ACME10' in shown.text
    assert client.get(f"/b/for/ACME/{asset.public_id}/hub-logo.png").data.startswith(b"\x89PNG")
    assert client.get(f"/b/for/ACME/{asset.public_id}/hub-qr.svg").data.startswith(b"<svg")
    taken = zipfile.ZipFile(io.BytesIO(browse(partner).get(f"/materials/{asset.id}/own/download").data))
    assert set(taken.namelist()) == {"index.html", "look.css", "hub-logo.png", "hub-qr.svg"}
    assert taken.read("index.html") == shown.data


def test_a_program_gets_a_template_filled_in(cast, app, partner, manager):
    asset = make_asset(cast.manager, title="Play", content=html5("<b>{{name}}</b>"), name="play.zip")
    db.session.commit()
    said = []
    for user in (partner, manager):
        with transaction():
            _row, token = tokens.create(user, "program")
        headers = {"Authorization": f"Bearer {token}"}
        answer = app.test_client().get(f"/api/v1/materials/{asset.id}/file", headers=headers)
        said.append(zipfile.ZipFile(io.BytesIO(answer.data)).read("index.html").partition(b"<b>")[2])
    assert said == [b"Acme Media</b>", b"{{name}}</b>"]


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", " JavaScript :x", "java\tscript:x", "data:text/html,x"]
)
def test_a_contact_in_an_address_runs_nothing(text):
    shown = branding.html(b'<a href="{{contact}}">', who(contact=text)).decode()
    assert not re.search(r"script\s*:|data\s*:", html.unescape(shown), re.IGNORECASE)


def test_strangers_do_not_keep_the_hub_at_drawing(asset, cast, client, monkeypatch):
    lay(asset, Place("name", 10, 10, 500, 90))
    monkeypatch.setattr(branding.drawing, "PAUSE", 3600)
    monkeypatch.setattr(branding.drawing, "next_for_passing", 0.0)
    mine, theirs = (f"/a/{code}/{asset.public_id}.png" for code in ("ACME", "OTHER"))
    with branding.drawing.lock:
        waiting = client.get(mine)
    assert waiting.headers["Cache-Control"] == "no-store"
    assert waiting.data == client.get(f"/a/{asset.public_id}.png").data
    drawn = client.get(mine)
    assert drawn.data != waiting.data
    assert client.get(theirs).data == waiting.data, "not another one so soon"
    assert client.get(mine).data == drawn.data


def test_a_banner_without_marks_is_as_it_was(cast, client):
    content = html5("<b>{name}</b>")
    asset = make_asset(cast.manager, title="Play", content=content, name="play.zip")
    db.session.commit()
    assert "<b>{name}</b>" in client.get(f"/b/for/ACME/{asset.public_id}/index.html").text
    assert not branding.is_template(asset)


def test_a_logo_is_checked_like_any_upload(cast, browse, partner):
    browser = browse(partner)

    def send(content: bytes, name: str):
        return browser.post("/partners/own/logo", data={"logo": (io.BytesIO(content), name)})

    for content, name in (
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "logo.svg"),
        (b"<html>", "logo.png"),
        (picture()[:60], "half.png"),
        (b"%PDF-1.7\n%%EOF", "logo.pdf"),
        (b"", "empty.png"),
    ):
        assert send(content, name).status_code == 422, name
    assert cast.acme.logo_key is None
    assert send(picture((3000, 20), fmt="JPEG"), "logo.jpg").status_code == 303
    db.session.refresh(cast.acme)
    with storage.open(cast.acme.logo_key) as kept:
        assert (Image.open(kept).format, Image.open(kept).size[0]) == ("PNG", 1200)
    assert "Remove the logo" in browser.get("/partners/own").text
    browser.post("/partners/own/logo", data={"remove": "1"})
    assert db.session.scalars(select(Partner.logo_key).where(Partner.code == "ACME")).one() is None
