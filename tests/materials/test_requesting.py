"""Materials given out on request: no code and no file before the team has agreed, and both sides hear of it."""

import io
import zipfile

import pytest
from PIL import Image
from sqlalchemy import select

from hub.core.database import db
from hub.materials import indexing, taking
from hub.materials.models import UseRequest
from hub.materials.tasks import thumbnails
from hub.materials.views import YEAR
from hub.notifications.kinds import lines
from hub.notifications.models import Notification

from .factories import ask_first, html5, make_asset, make_text, picture

WISH = {"purpose": "A review of invoicing tools", "place": "https://acme.example/review"}


@pytest.fixture
def wanted(cast):
    """A picture, a banner and a text that are given out on request."""
    made = [
        make_asset(cast.manager, title="Logo", content=picture(color="pink"), rights="Unchanged, until May"),
        make_asset(cast.manager, title="Play", content=html5(), name="play.zip"),
        make_text(cast.manager, "Secret words, {link}"),
    ]
    for asset in made:
        ask_first(cast, asset)
    db.session.commit()
    return made


def files(asset):
    return [f"/materials/{asset.id}/{what}" for what in ("download", "preview", "qr.svg")] + [
        f"/api/v1/materials/{asset.id}/file"
    ]


def told(user) -> list[str]:
    rows = db.session.scalars(
        select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    )
    return [line.text for line in lines(rows)]


def test_no_file_and_no_code_before_the_team_agrees(wanted, cast, browse, partner, client):
    browser = browse(partner)
    for asset in wanted:
        assert {browser.get(url).status_code for url in files(asset)} == {403}
        for headers in ({}, {"HX-Request": "true"}):
            page = browser.get(f"/materials/{asset.id}", headers=headers).text
            assert f"/materials/{asset.id}/ask" in page
            assert "/go/ACME" not in page
            assert "Secret words" not in page
    logo, play, _text = wanted
    listed = browser.get("/api/v1/materials").json["materials"]
    assert {each["embed_code"] for each in listed} | {each["file_url"] for each in listed} == {None}
    assert client.get(f"/a/{logo.public_id}.png").status_code == 404
    assert client.get(f"/a/ACME/{logo.public_id}.png").status_code == 404
    assert client.get(f"/b/for/ACME/{play.public_id}/index.html").status_code == 404
    with db.session.begin_nested():
        kit = taking.make_kit(cast.partner, "Mine")
        for asset in (*wanted, make_asset(cast.manager, title="Plain")):
            taking.put(asset, kit)
    db.session.commit()
    zipped = zipfile.ZipFile(io.BytesIO(browser.get(f"/materials/kits/{kit.id}/download").data))
    assert zipped.namelist() == ["Plain 300x250.png", "codes.txt"]


def test_search_and_thumbnail_give_nothing_away_before(wanted, browse, partner, manager):
    logo, _play, text = wanted
    assert "Secret" not in indexing.document(text, "en").body
    thumbnails()
    sizes = []
    for who in (partner, manager):
        answer = browse(who).get(f"/materials/{logo.id}/thumbnail?v={logo.current.id}")
        sizes.append((Image.open(io.BytesIO(answer.data)).size, answer.headers["Cache-Control"]))
    assert sizes == [((150, 125), "private, no-store"), ((300, 250), YEAR)]


def test_a_yes_opens_it_to_that_partner_alone(wanted, browse, partner, other_partner, manager, client):
    logo, other = wanted[0], browse(other_partner)
    asked = browse(partner).post(f"/materials/{logo.id}/ask", data=WISH)
    assert asked.status_code == 303
    assert told(manager) == ["Acme Media asks to use “Logo”"]
    request = db.session.scalars(select(UseRequest)).one()
    assert "A review of invoicing tools" in browse(manager).get("/materials/requests?state=asked").text
    assert "A review" not in other.get("/materials/requests").text
    browse(manager).post(f"/materials/requests/{request.id}/grant")
    assert told(partner) == ["You may use “Logo” now"]
    assert {browse(partner).get(url).status_code for url in files(logo)} == {200}
    page = browse(partner).get(f"/materials/{logo.id}").text
    assert f"/a/ACME/{logo.public_id}.png" in page
    assert "Unchanged, until May" in page
    assert client.get(f"/a/ACME/{logo.public_id}.png").status_code == 200
    assert client.get(f"/a/OTHER/{logo.public_id}.png").status_code == 404
    assert {other.get(url).status_code for url in files(logo)} == {403}


def test_a_no_has_a_reason_and_may_follow_a_yes(wanted, browse, partner, manager):
    logo, browser, team = wanted[0], browse(partner), browse(manager)
    browser.post(f"/materials/{logo.id}/ask", data=WISH)
    first = db.session.scalars(select(UseRequest)).one()
    team.post(f"/materials/requests/{first.id}/refuse", data={"reason": " "})
    assert told(partner) == [], "a no without a reason is none"
    team.post(f"/materials/requests/{first.id}/refuse", data={"reason": "Not on coupon sites"})
    assert told(partner) == ["You may not use “Logo”: Not on coupon sites"]
    assert "Not on coupon sites" in browser.get(f"/materials/{logo.id}").text
    again = browser.post(f"/materials/{logo.id}/ask", data=WISH | {"purpose": "Now on our blog"})
    assert again.status_code == 303
    second = db.session.scalars(select(UseRequest).order_by(UseRequest.id.desc())).first()
    team.post(f"/materials/requests/{second.id}/grant")
    assert browser.get(f"/materials/{logo.id}/download").status_code == 200
    team.post(f"/materials/requests/{second.id}/refuse", data={"reason": "It is over"})
    assert browser.get(f"/materials/{logo.id}/download").status_code == 403


def test_one_question_at_a_time(wanted, browse, partner):
    logo, browser = wanted[0], browse(partner)
    empty = browser.post(f"/materials/{logo.id}/ask", data={"purpose": "", "place": "Here"})
    assert empty.status_code == 422
    assert 'value="Here"' in empty.text
    assert browser.post(f"/materials/{logo.id}/ask", data=WISH).status_code == 303
    twice = browser.post(f"/materials/{logo.id}/ask", data=WISH)
    assert twice.status_code == 409
    assert "asked for it already" in twice.text
    assert len(db.session.scalars(select(UseRequest)).all()) == 1
