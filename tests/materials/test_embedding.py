"""Codes carry the caller's own link, and links lead to the programme's site and nowhere else."""

import pytest

from hub.core.database import db
from hub.materials import embedding
from hub.materials.models import Asset
from hub.partners.models import Coupon

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
    link, source = f"{BASE}/go/ACME/{asset.public_id}", f"{BASE}/a/ACME/{asset.public_id}.png"
    assert codes["html"] == (
        f'<a href="{link}">\n  <img src="{source}" width="300" height="250" '
        'alt="Sale &quot;now&quot; &lt;b&gt; &amp; more">\n</a>'
    )
    assert codes["markdown"] == rf'[![Sale "now" \<b\> & more]({source})]({link})'
    assert codes["bbcode"] == f"[url={link}][img]{source}[/img][/url]"
    assert codes["link"] == link
    assert codes["image"] == source


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


def test_whoever_is_suspended_reads_that_nothing_counts(asset, cast, browse, partner):
    said = "Your organisation is not active in the programme"
    assert said not in browse(partner).get(f"/materials/{asset.id}").text
    cast.acme.status = "suspended"
    db.session.commit()
    assert said in browse(partner).get(f"/materials/{asset.id}").text


def test_the_coupon_stands_with_the_codes(asset, cast, browse, partner, other_partner):
    db.session.add(Coupon(partner_id=cast.acme.id, code="ACME10"))
    db.session.commit()
    assert 'data-copy="ACME10"' in browse(partner).get(f"/materials/{asset.id}").text
    assert "Your promo code" not in browse(other_partner).get(f"/materials/{asset.id}").text


def test_a_link_that_no_qr_code_holds_is_refused_politely(asset, browse, partner):
    long = browse(partner).get(f"/materials/{asset.id}/qr.svg", query_string={"to": "/" + "ł" * 1500})
    assert long.status_code == 422


def test_qr_code_is_a_picture(asset, browse, partner):
    browser = browse(partner)
    assert browser.get(f"/materials/{asset.id}/qr.svg").data.startswith(b"<svg")
    png = browser.get(f"/materials/{asset.id}/qr.png?download=1")
    assert png.data.startswith(b"\x89PNG")
    assert "attachment" in png.headers["Content-Disposition"]
