"""Codes carry the caller's own link, and links lead to the programme's site and nowhere else."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import func, select

from hub.core.database import db
from hub.materials import embedding
from hub.materials.models import Asset, Click
from hub.partners.models import Coupon, PartnerStatus

from .factories import gold_asset, make_asset, make_text

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def asset(cast) -> Asset:
    asset = make_asset(cast.manager, title='Sale "now" <b> & more', landing="/sale?plan=team")
    db.session.commit()
    return asset


def test_codes_carry_the_callers_own_code(asset, browse, partner, other_partner, agent):
    own, others = (
        browse(partner).get(f"/materials/{asset.id}").text,
        browse(other_partner).get(f"/materials/{asset.id}").text,
    )
    assert f"/go/<mark>ACME</mark>/{asset.public_id}" in own
    assert "OTHER" not in own
    assert f"/go/<mark>OTHER</mark>/{asset.public_id}" in others
    assert "ACME" not in others
    assert "/go/<mark>SAMPLE</mark>/" in browse(agent).get(f"/materials/{asset.id}").text


def test_every_code_escapes_the_title(asset):
    codes = {code.key: code.text for code in embedding.codes(asset, "ACME")}
    link, source = f"{BASE}/go/ACME/{asset.public_id}", f"{BASE}/a/{asset.public_id}.png"
    assert codes["html"] == (
        f'<a href="{link}">\n  <img src="{source}" width="300" height="250" '
        'alt="Sale &quot;now&quot; &lt;b&gt; &amp; more">\n</a>'
    )
    assert codes["markdown"] == rf'[![Sale "now" \<b\> & more]({source})]({link})'
    assert codes["bbcode"] == f"[url={link}][img]{source}[/img][/url]"
    assert codes["link"] == link


def test_a_picture_of_chosen_levels_has_the_partners_code_in_its_address(cast):
    assert embedding.image_url(gold_asset(cast), "ACME").startswith(f"{BASE}/a/ACME/")


def test_links_may_lead_deeper(asset, browse, partner):
    browser = browse(partner)
    deep = browser.get(f"/materials/{asset.id}?to=https://nordbill.example/pricing?a=1").text
    assert "?to=/pricing%3Fa%3D1" in deep
    wrong = browser.get(f"/materials/{asset.id}?to=https://evil.example/").text
    assert f"/{asset.public_id}?to=" not in wrong
    assert 'aria-invalid="true"' in wrong


def test_ready_text_is_filled_in(cast, browse, partner, other_partner):
    text = make_text(cast.manager)
    db.session.add(Coupon(partner_id=cast.acme.id, code="ACME10"))
    db.session.commit()
    link = f"{BASE}/go/ACME/{text.public_id}"
    download = browse(partner).get(f"/materials/{text.id}/download")
    assert download.text == f"See {link}, code ACME10, yours Acme Media"
    assert download.headers["Content-Disposition"].startswith("attachment")
    without = browse(other_partner).get(f"/materials/{text.id}").text
    assert "code {coupon}, yours Other Media" in without
    assert "no promo code yet" in without


def test_qr_code_is_a_picture(asset, browse, partner):
    browser = browse(partner)
    assert browser.get(f"/materials/{asset.id}/qr.svg").data.startswith(b"<svg")
    png = browser.get(f"/materials/{asset.id}/qr.png?download=1")
    assert png.data.startswith(b"\x89PNG")
    assert "attachment" in png.headers["Content-Disposition"]


# --- Links -----------------------------------------------------------------


def leads_to(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 302
    response.close()
    return response.headers["Location"]


def test_link_leads_to_the_landing_page_with_the_code(asset, client):
    assert (
        leads_to(client, f"/go/ACME/{asset.public_id}") == "https://nordbill.example/sale?plan=team&ref=ACME"
    )
    assert leads_to(client, "/go/acme") == "https://nordbill.example/?ref=ACME"
    assert (
        leads_to(client, f"/go/ACME/{asset.public_id}?to=/pricing%3Fa%3D1%26ref%3DOTHER")
        == "https://nordbill.example/pricing?a=1&ref=ACME"
    )


def test_marks_of_a_campaign_travel_along_and_come_once(cast, client):
    marked = "/go/ACME?to=/plans%3Futm_source%3Dold%26x%3D1&utm_source=blog&evil=1"
    assert leads_to(client, marked) == "https://nordbill.example/plans?x=1&utm_source=blog&ref=ACME"


def test_unknown_code_leads_to_the_site_without_one(cast, client):
    assert leads_to(client, "/go/NOBODY") == "https://nordbill.example/"
    assert leads_to(client, "/go/NOBODY/nothing?to=/pricing") == "https://nordbill.example/pricing"
    cast.acme.status = PartnerStatus.CLOSED
    db.session.commit()
    assert leads_to(client, "/go/ACME") == "https://nordbill.example/"


OPEN_REDIRECTS = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "https://nordbill.example@evil.example/", "https://nordbill.example.evil.example/", "https://evil.example\\@nordbill.example/",
    "https://nordbill.example:8443/", "javascript:alert(1)", "JaVaScRiPt://nordbill.example/%0aalert(1)", "data:text/html,x",
    "/\t/evil.example", "/%09/evil.example", "\thttps://evil.example", "/.evil.example", "https://user@nordbill.example/", "ftp://nordbill.example/",
    "https://[::1", "http://nordbill.example\r\nSet-Cookie: a=b", "/a\r\nb", "@evil.example", ".evil.example", "evil.example", "/" + "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("to", OPEN_REDIRECTS)
def test_links_never_lead_elsewhere(cast, client, to):
    response = client.get("/go/ACME", query_string={"to": to})
    response.close()
    parts = urlsplit(response.headers["Location"])
    assert (response.status_code, parts.scheme, parts.netloc) == (302, "https", "nordbill.example")
    assert not parts.path.startswith("//")
    assert "\\" not in parts.path
    assert dict(parse_qsl(parts.query))["ref"] == "ACME"
    assert "Set-Cookie" not in response.headers or "a=b" not in response.headers["Set-Cookie"]


def test_clicks_are_kept_without_the_visitor(asset, client):
    client.get(
        f"/go/ACME/{asset.public_id}", headers={"Referer": "https://blog.example/post?secret=1"}
    ).close()
    client.get("/go/NOBODY").close()
    db.session.rollback()  # the click was written after the answer, by another session
    click = db.session.scalars(select(Click)).one()
    assert (click.asset_id, click.referrer) == (asset.id, "blog.example")


def test_visitor_is_led_on_when_the_click_cannot_be_written(asset, client, monkeypatch):
    def broken(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub.materials.service.record_click", broken)
    assert leads_to(client, "/go/ACME") == "https://nordbill.example/?ref=ACME"
    assert db.session.scalar(select(func.count(Click.id))) == 0
