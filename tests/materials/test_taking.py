"""What people take along: downloads counted once, favourites, and kits as one ZIP."""

import io
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from hub.accounts import sessions
from hub.core import clock, storage
from hub.core.database import db, transaction
from hub.core.errors import Invalid
from hub.materials import service, taking
from hub.materials.models import Download, Favourite, Kit, KitItem

from .factories import gold_asset, make_asset, make_text, picture, upload

FETCH = {"X-Requested-With": "fetch"}


def test_download_is_counted_once_per_person_and_version(cast, browse, partner, other_partner, manager):
    asset = make_asset(cast.manager, name="Баннер.png")
    db.session.commit()
    browser = browse(partner)
    first = browser.get(f"/materials/{asset.id}/download")
    assert first.headers["Content-Disposition"].startswith("attachment")
    assert "UTF-8''" in first.headers["Content-Disposition"]
    browser.get(f"/materials/{asset.id}/download")
    browser.get(f"/materials/{asset.id}/download", headers={"Range": "bytes=100-"})
    browse(other_partner).get(f"/materials/{asset.id}/download", headers={"Range": "bytes=100-"})
    rows = db.session.execute(select(Download.partner_id, Download.user_id).order_by(Download.id)).all()
    assert rows == [(cast.acme.id, cast.partner.id), (cast.other_org.id, cast.other_partner.id)]
    examined, stored = service.keep(upload(picture(color="red")))
    with transaction():
        service.add_version(asset, manager, examined, stored)
    browser.get(f"/materials/{asset.id}/download")
    db.session.expire_all()
    assert asset.uses == 3
    assert "Acme Media" in browse(manager).get(f"/materials/downloads?asset={asset.id}").text


def test_asking_how_large_it_is_counts_nothing(kit, cast, browse, partner):
    asset = make_asset(cast.manager)
    db.session.commit()
    for url in (f"/materials/{asset.id}/download", f"/materials/kits/{kit.id}/download"):
        assert browse(partner).head(url).status_code == 200
    assert db.session.scalars(select(Download)).all() == []


def test_downloads_have_ranges_and_etags(cast, browse, partner):
    asset = make_asset(cast.manager)
    db.session.commit()
    browser, url = browse(partner), f"/materials/{asset.id}/download"
    whole = browser.get(url)
    part = browser.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert browser.get(url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_ready_texts_have_ranges_and_etags(cast, browse, partner):
    text = make_text(cast.manager)
    db.session.commit()
    browser, url = browse(partner), f"/materials/{text.id}/download"
    whole = browser.get(url)
    part = browser.get(url, headers={"Range": "bytes=1-4"})
    assert (part.status_code, part.data) == (206, whole.data[1:5])
    assert browser.get(url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_a_file_that_was_had_before_is_refused_as_soon_as_it_must(cast, browse, partner, manager):
    asset = gold_asset(cast)
    db.session.commit()
    browser, url = browse(partner), f"/materials/{asset.id}/download"
    seen = []

    def note(_c, _u, statement, *_rest):
        seen.append(statement)

    assert browser.get(url).status_code == 200
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert browser.get(url).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len([each for each in seen if each.startswith("SELECT")]) == 2, "who it is, and what they may have"
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        asset.valid_until = clock.now() - timedelta(seconds=30)
        db.session.commit()
        assert browser.get(url).status_code == 404
        asset.valid_until = None
        db.session.commit()
        assert browser.get(url).status_code == 200
    gold, cast.acme.tier_id = cast.acme.tier_id, cast.other_org.tier_id
    db.session.commit()
    assert browser.get(url).status_code == 404
    cast.acme.tier_id = gold
    asset.needs_approval = True
    db.session.commit()
    assert browser.get(url).status_code == 403
    asset.needs_approval = False
    with transaction():
        sessions.end_all(partner)
    assert browser.get(url).status_code == 302


def test_nginx_sends_the_file_when_it_stands_in_front(cast, app, browse, partner, monkeypatch):
    asset = make_asset(cast.manager)
    db.session.commit()
    monkeypatch.setattr(app.extensions["hub.storage"], "internal", "/files")
    answer = browse(partner).get(f"/materials/{asset.id}/download")
    assert answer.headers["X-Accel-Redirect"] == f"/files/{asset.current.key}"
    assert answer.headers["Content-Disposition"] == "attachment; filename=banner.png"
    assert answer.data == b""


# --- Favourites ------------------------------------------------------------


def test_favourites_are_found_again(cast, browse, partner, other_partner):
    asset, _other = make_asset(cast.manager, title="Loved"), make_asset(cast.manager, title="Other one")
    db.session.commit()
    browser = browse(partner)
    said = browser.post(f"/materials/{asset.id}/favourite", data={"on": "1"}, headers=FETCH).json
    assert 'aria-pressed="true"' in said["html"]
    browser.post(f"/materials/{asset.id}/favourite", data={"on": "1"})
    gallery = browser.get("/materials/?mine=1").text
    assert "Loved" in gallery
    assert "Other one" not in gallery
    assert "Loved" not in browse(other_partner).get("/materials/?mine=1").text
    browser.post(f"/materials/{asset.id}/favourite", data={"on": "0"})
    assert db.session.scalars(select(Favourite)).all() == []


# --- Kits ------------------------------------------------------------------


@pytest.fixture
def kit(cast, partner) -> Kit:
    """A banner in Cyrillic, one in Polish, two of one name, and a text."""
    with transaction():
        kit = taking.make_kit(partner, "Осень Łódź")
        for asset in (
            make_asset(cast.manager, title="Баннер: осень", content=picture(color="red")),
            make_asset(cast.manager, title="Źdźbło", content=picture((728, 90))),
            make_asset(cast.manager, title="Twin", content=picture(color="blue")),
            make_asset(cast.manager, title="twin", content=picture(color="navy")),
            make_text(cast.manager, title="Письмо", text="See {link}"),
        ):
            taking.put(asset, kit)
    return kit


def unpacked(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_a_kit_is_one_zip_with_names_as_they_are(kit, browse, partner):
    answer = browse(partner).get(f"/materials/kits/{kit.id}/download")
    assert (
        "UTF-8''%D0%9E%D1%81%D0%B5%D0%BD%D1%8C%20%C5%81%C3%B3d%C5%BA.zip"
        in answer.headers["Content-Disposition"]
    )
    found = unpacked(answer)
    assert found.testzip() is None
    assert found.namelist() == [
        "Баннер осень 300x250.png", "Źdźbło 728x90.png", "Twin 300x250.png", "twin 300x250 (2).png",
        "Письмо.txt", "codes.txt",
    ]  # fmt: skip
    in_utf8 = [entry.filename for entry in found.infolist() if entry.flag_bits & 0x800]
    assert set(in_utf8) >= {"Баннер осень 300x250.png", "Źdźbło 728x90.png", "Письмо.txt"}
    assert b"/go/ACME/" in found.read("Письмо.txt")
    assert found.read("codes.txt").count(b"/go/ACME/") == 5


def test_a_kit_counts_each_of_its_files(kit, browse, partner):
    browser = browse(partner)
    for _again in range(2):
        browser.get(f"/materials/kits/{kit.id}/download").close()
    assert len(db.session.scalars(select(Download)).all()) == 5


def test_a_zip_is_made_while_it_is_read(kit, partner, monkeypatch):
    opened = []

    def note(key):
        opened.append(key)
        return io.BytesIO(b"x" * 300)

    assets = taking.contents(kit, partner)
    for asset in assets:
        asset.current.size = 300
    monkeypatch.setattr(storage, "open", note)
    stream = iter(taking.archive(assets, taking.embedding.viewer(partner)))
    assert opened == []
    next(stream)
    assert len(opened) <= 1


def test_materials_join_a_kit_and_leave_it(cast, browse, partner):
    first, second = make_asset(cast.manager, title="First"), make_asset(cast.manager, title="Second")
    db.session.commit()
    browser = browse(partner)
    said = browser.post("/materials/kits/add", data={"asset": first.id}, headers=FETCH).json["said"]
    assert "My kit" in said
    kit = db.session.scalars(select(Kit)).one()
    browser.post("/materials/kits/add", data={"asset": second.id, "kit": kit.id})
    again = browser.post("/materials/kits/add", data={"asset": second.id, "kit": kit.id}, headers=FETCH).json
    assert "already" in again["said"]
    browser.post(f"/materials/kits/{kit.id}/take-out", data={"asset": first.id})
    page = browser.get(f"/materials/kits/{kit.id}").text
    assert "Second" in page
    assert "First" not in page
    browser.post(f"/materials/kits/{kit.id}", data={"name": " For  the blog ", "is_shared": "1"})
    db.session.refresh(kit)
    assert (kit.name, kit.is_shared) == ("For the blog", False), "sharing is the team's"
    browser.post(f"/materials/kits/{kit.id}/delete")
    assert db.session.scalars(select(KitItem)).all() == []


def test_a_shared_kit_gives_each_what_they_may_see(cast, browse, partner, other_partner, manager):
    with transaction():
        kit = taking.make_kit(manager, "Starter")
        taking.put(gold_asset(cast), kit)
        taking.rename_kit(kit, "Starter", is_shared=True)
    assert unpacked(browse(partner).get(f"/materials/kits/{kit.id}/download")).namelist() == [
        "Gold only 728x90.png", "codes.txt",
    ]  # fmt: skip
    other = browse(other_partner)
    assert other.get(f"/materials/kits/{kit.id}/download").status_code == 404
    assert "Gold only" not in other.get(f"/materials/kits/{kit.id}").text
    assert "Starter" not in other.get("/materials/kits").text


def test_another_levels_material_joins_no_kit(cast, browse, other_partner):
    asset = gold_asset(cast)
    db.session.commit()
    answer = browse(other_partner).post("/materials/kits/add", data={"asset": asset.id})
    assert answer.status_code == 404
    assert db.session.scalars(select(Kit)).all() == []


def test_kits_have_a_name_and_an_end(cast, partner, monkeypatch):
    with pytest.raises(Invalid), transaction():
        taking.make_kit(partner, "  ")
    monkeypatch.setattr(taking, "MOST_IN_KIT", 1)
    monkeypatch.setattr(taking, "MOST_KITS", 1)
    with transaction():
        kit = taking.make_kit(partner, "One")
        taking.put(make_asset(cast.manager), kit)
    with pytest.raises(taking.KitFull), transaction():
        taking.put(make_asset(cast.manager), kit)
    with pytest.raises(taking.TooManyKits), transaction():
        taking.make_kit(partner, "Two")
