"""Materials for chosen partners: nobody else comes to one by any door."""

import io
import zipfile

import pytest

from hub.accounts.models import User
from hub.core import fulltext
from hub.core.database import db
from hub.materials import indexing, service, taking
from hub.materials.models import Asset, Visibility
from hub.materials.tasks import thumbnails

from .factories import gold_asset, html5, make_asset, make_campaign, make_text, picture

#: Doors that name something else than a material.
OTHERS = ("kit", "campaign", "request", "upload")
#: What may stand for the parts of an address.
PARTS = {"code": "OTHER", "ending": "png", "form": "svg", "name": "index.html"}


@pytest.fixture
def chosen(cast):
    """A picture, a banner and a text for partners with the tag “video”: Acme has it, Other has one like it."""
    cast.acme.tags, cast.other_org.tags = ["blog", "video"], ["videos", "a video"]
    for_video = {"visibility": Visibility.CHOSEN, "readers": ["tag:video", "tier:gold"], "title": "Hush"}
    made = [
        make_asset(cast.manager, content=picture(color="olive"), **for_video),
        make_asset(cast.manager, content=html5(), name="hush.zip", **for_video),
        make_text(cast.manager, "Hush, see {link}", **for_video),
    ]
    db.session.commit()
    thumbnails()
    return made


def doors(app, asset):
    """Every address of the room in which the material is named, with its method."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        room, _dot, name = rule.endpoint.partition(".")
        names = {"id", "public_id"} & rule.arguments
        if room not in ("materials", "materials_api") or not names or any(word in name for word in OTHERS):
            continue
        values = PARTS | {"id": asset.id, "public_id": asset.public_id}
        url = adapter.build(rule.endpoint, {key: values[key] for key in rule.arguments})
        yield from ((method, url) for method in rule.methods - {"HEAD", "OPTIONS"})


def test_every_door_is_shut_to_others(app, chosen, browse, other_partner):
    browser = browse(other_partner)
    seen = {(m, url): browser.open(url, method=m) for asset in chosen for m, url in doors(app, asset)}
    assert len(seen) > 50
    wrong = {
        door: answer.status_code
        for door, answer in seen.items()
        if answer.status_code not in (403, 404) and not door[1].startswith("/go/")
    }
    assert wrong == {}
    assert [door for door, answer in seen.items() if b"Hush" in answer.data] == []
    # Whoever clicks on it somewhere comes to the programme all the same.
    assert {answer.location.partition("?")[0] for door, answer in seen.items() if "/go/" in door[1]} == {
        "https://nordbill.example/"
    }


def test_lists_kits_and_search_do_not_name_it(chosen, cast, browse, partner, other_partner, manager):
    kit = taking.make_kit(manager, "Starter")
    kit.is_shared = True
    for asset in (*chosen, make_asset(cast.manager, title="Plain")):
        taking.put(asset, kit)
    db.session.commit()
    pages = ["/materials/", "/api/v1/materials", f"/materials/kits/{kit.id}", "/search/?q=hush", "/"]
    ours, theirs = browse(partner), browse(other_partner)
    indexing.index_stale()
    assert ["Hush" in ours.get(url).text for url in pages] == [True] * len(pages)
    # The page of results repeats what was looked for, in small letters.
    assert ["Hush" in theirs.get(url).text for url in pages] == [False] * len(pages)
    zipped = theirs.get(pages[2] + "/download").data
    assert zipfile.ZipFile(io.BytesIO(zipped)).namelist() == ["Plain 300x250.png", "codes.txt"]


def test_a_kit_and_a_campaign_with_nothing_for_somebody_are_not_there(
    chosen, cast, browse, manager, partner, other_partner
):
    kit, campaign = taking.make_kit(manager, "Hush kit"), make_campaign(manager, "Hush campaign")
    kit.is_shared, chosen[0].campaign_id = True, campaign.id
    taking.put(chosen[0], kit)
    db.session.commit()
    doors = [f"/materials/kits/{kit.id}", f"/materials/kits/{kit.id}/download"]
    ours, theirs = browse(partner), browse(other_partner)
    assert [(ours.get(url).status_code, theirs.get(url).status_code) for url in doors] == [(200, 404)] * 2
    assert "Hush kit" not in theirs.get("/materials/kits").text
    named = f"/materials/?campaign={campaign.id}"
    assert ["Hush campaign" in browser.get(named).text for browser in (ours, theirs)] == [True, False]


def test_a_level_and_a_tag_each_open_it(chosen, cast, browse, partner, other_partner):
    assert browse(partner).get(f"/a/ACME/{chosen[0].public_id}.png").status_code == 200
    gold_asset(cast)  # makes Acme Gold and Other Silver
    cast.acme.tags, cast.other_org.tags = [], ["video"]
    db.session.commit()
    for who in (partner, other_partner):
        assert browse(who).get(f"/materials/{chosen[0].id}/thumbnail").status_code == 200
    cast.other_org.status = "suspended"
    db.session.commit()
    assert browse(other_partner).get(f"/materials/{chosen[0].id}/thumbnail").status_code == 404


def test_the_index_forgets_whom_it_was_for(chosen, partner, other_partner):
    asset, people = chosen[0].id, [partner.id, other_partner.id]
    indexing.index_stale()
    service.edit(db.session.get(Asset, asset), None, {"title": "Loud", "readers": ["tag:videos"]})
    db.session.commit()
    indexing.index_stale()
    titles = [
        {hit.document.title for hit in fulltext.find(db.session.get(User, id), "en", "loud").hits}
        for id in people
    ]
    assert titles == [set(), {"Loud"}]
