"""The team uploads, replaces and archives; what partners have placed keeps working."""

import io
import re
import threading
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from hub.core import clock, storage
from hub.core.database import db, transaction
from hub.materials import service, tasks
from hub.materials.models import Asset, AssetVersion, Campaign, Status, ThumbnailState
from tests.core.test_uploads import SVG, png_claiming

from .factories import make_asset, make_campaign, make_text, make_tiers, picture


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def send(browser, *files: tuple[bytes, str], **fields):
    data = {
        "visibility": "all",
        "is_published": "y",
        "files": [(io.BytesIO(content), name) for content, name in files],
    } | fields
    return browser.post("/materials/", data=data, content_type="multipart/form-data")


def test_upload_several_files_at_once(browse, manager, partner):
    answer = send(
        browse(manager),
        (picture(), "spring-sale.png"),
        (picture((728, 90)), "wide.png"),
        locale="pl",
        tags="Blog, shop, blog",
    )
    assert answer.status_code == 303
    assets = db.session.scalars(select(Asset).order_by(Asset.id)).all()
    assert [(asset.title, asset.size, asset.locale, asset.tags) for asset in assets] == [
        ("Spring sale", "300 × 250", "pl", ["blog", "shop"]),
        ("Wide", "728 × 90", "pl", ["blog", "shop"]),
    ]
    assert "Spring sale" in browse(partner).get("/materials/").text


def test_one_bad_file_does_not_keep_the_others_out(browse, manager):
    answer = send(
        browse(manager),
        (picture(), "good.png"),
        (SVG, "logo.svg"),
        (b"<html>", "page.png"),
        (png_claiming(10_000, 6_000), "huge.png"),
    )
    assert count(Asset) == 1
    assert answer.text.count(">Refused<") == 3
    assert answer.text.count("Added") == 1
    assert "can carry scripts" in answer.text
    assert "50 megapixels" in answer.text


def test_only_bad_files_are_a_mistake(browse, manager):
    answer = send(browse(manager), (picture()[:50], "cut.png"))
    assert (answer.status_code, count(Asset)) == (422, 0)
    assert "damaged or incomplete" in answer.text


def test_the_same_file_again_is_announced(browse, manager):
    browser = browse(manager)
    send(browser, (picture(), "first.png"))
    assert "The same file is already here" in send(browser, (picture(), "again.png")).text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"landing": "https://evil.example"}, "This must be a page of https://nordbill.example."),
        ({"visibility": "chosen", "reader_tags": " ,"}, "Choose at least one level or tag."),
        ({"valid_from": "2026-05-02", "valid_until": "2026-05-01"}, "The last day is before the first."),
    ],
)
def test_wrong_details_are_named_and_nothing_is_kept(browse, manager, cast, fields, message):
    make_tiers()
    db.session.commit()
    answer = send(browse(manager), (picture(), "a.png"), **fields)
    assert (answer.status_code, count(Asset)) == (422, 0)
    assert message in answer.text


def test_upload_without_files_asks_for_one(browse, manager):
    assert "Choose at least one file." in send(browse(manager)).text


def test_last_day_counts_in_the_programmes_zone(browse, manager):
    send(browse(manager), (picture(), "a.png"), valid_until="2026-07-31")
    asset = db.session.scalars(select(Asset)).one()
    assert asset.valid_until.isoformat() == "2026-07-31T22:00:00+00:00"


def test_days_of_use_are_those_of_the_chosen_zone(browse, manager):
    days = {"valid_from": "2026-03-29", "valid_until": "2026-11-30", "zone": "Europe/Kyiv"}
    send(browse(manager), (picture(), "a.png"), **days)
    asset = db.session.scalars(select(Asset)).one()
    # The night in which summer time begins, and one of winter time.
    assert (asset.valid_from.isoformat(), asset.valid_until.isoformat()) == (
        "2026-03-28T22:00:00+00:00", "2026-11-30T22:00:00+00:00",
    )  # fmt: skip
    assert (asset.first_day.isoformat(), asset.last_day.isoformat()) == ("2026-03-29", "2026-11-30")
    form = browse(manager).get(f"/materials/{asset.id}/edit").text
    assert 'value="2026-11-30"' in form
    assert re.search(r'<option selected[^>]*"Europe/Kyiv"', form)


def test_new_version_appears_under_the_old_address(cast, browse, manager, client):
    asset = make_asset(cast.manager, content=picture(color="red"))
    db.session.commit()
    data = {"file": (io.BytesIO(picture(color="blue")), "new.png")}
    assert browse(manager).post(f"/materials/{asset.id}/versions", data=data).status_code == 303
    shown = Image.open(io.BytesIO(client.get(f"/a/{asset.public_id}.png").data))
    assert shown.getpixel((0, 0)) == (0, 0, 255)
    old = browse(manager).get(f"/materials/{asset.id}/download?version=1")
    assert Image.open(io.BytesIO(old.data)).getpixel((0, 0)) == (255, 0, 0)


def test_two_new_versions_at_once_come_one_after_the_other(cast, app):
    asset, gate, wrong = make_text(cast.manager), threading.Barrier(2), []
    db.session.commit()
    id = asset.id

    def rewrite(words):
        with app.app_context():
            gate.wait()
            try:
                with transaction() as session:
                    service.rewrite(session.get(Asset, id), None, words)
            except IntegrityError as error:
                wrong.append(error)

    threads = [threading.Thread(target=rewrite, args=[words]) for words in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    rows = select(AssetVersion.number, AssetVersion.is_current).order_by(AssetVersion.number)
    assert db.session.execute(rows).all() == [(1, False), (2, False), (3, True)]


def test_partners_get_the_current_version_only(cast, browse, manager, partner):
    asset = make_asset(cast.manager)
    db.session.commit()
    data = {"file": (io.BytesIO(picture(color="blue")), "new.png")}
    browse(manager).post(f"/materials/{asset.id}/versions", data=data)
    assert browse(partner).get(f"/materials/{asset.id}/download?version=1").status_code == 404


def test_new_version_must_be_of_the_same_kind(cast, browse, manager):
    asset = make_asset(cast.manager)
    db.session.commit()
    data = {"file": (io.BytesIO(b"%PDF-1.7\n%%EOF"), "new.pdf")}
    answer = browse(manager).post(f"/materials/{asset.id}/versions", data=data)
    assert answer.status_code == 422
    assert "of the same kind" in answer.text
    assert count(AssetVersion) == 1


def test_version_without_a_file_is_refused_kindly(cast, browse, manager):
    asset = make_asset(cast.manager)
    db.session.commit()
    assert browse(manager).post(f"/materials/{asset.id}/versions", data={}).status_code == 422


def test_edit_changes_what_is_said(cast, browse, manager):
    make_tiers()
    asset = make_asset(cast.manager, tags=["old"])
    db.session.commit()
    browser = browse(manager)
    assert 'value="old"' in browser.get(f"/materials/{asset.id}/edit").text
    form = {
        "title": "Better",
        "tags": "new",
        "visibility": "chosen",
        "reader_tiers": ["gold"],
        "reader_tags": "Podcast, ",
        "is_published": "y",
    }
    assert browser.post(f"/materials/{asset.id}", data=form).status_code == 303
    db.session.expire_all()
    assert (asset.title, asset.tags, asset.readers) == ("Better", ["new"], ["tag:podcast", "tier:gold"])
    assert browser.post(f"/materials/{asset.id}", data=form | {"visibility": "all"}).status_code == 303
    db.session.expire_all()
    assert asset.readers == []


def test_ready_text_is_written_and_rewritten(browse, manager):
    browser = browse(manager)
    form = {
        "title": "Letter", "body": "Go to {link}", "genre": "review", "visibility": "all", "is_published": "y",
    }  # fmt: skip
    assert browser.post("/materials/texts", data=form).status_code == 303
    asset = db.session.scalars(select(Asset)).one()
    browser.post(f"/materials/{asset.id}", data=form)
    assert count(AssetVersion) == 1
    browser.post(f"/materials/{asset.id}", data=form | {"body": "Visit {link}"})
    db.session.expire_all()
    assert [(version.number, version.is_current) for version in asset.versions] == [(1, False), (2, True)]
    assert asset.current.text == "Visit {link}"
    assert "Letter" in browser.get("/materials/?genre=review").text
    assert "Letter" not in browser.get("/materials/?genre=post").text


def test_archived_banner_becomes_an_empty_picture_and_comes_back(cast, browse, manager, partner, client):
    asset = make_asset(cast.manager)
    db.session.commit()
    browse(manager).post(f"/materials/{asset.id}/archive")
    assert browse(partner).get(f"/materials/{asset.id}").status_code == 404
    embedded = client.get(f"/a/{asset.public_id}.png")
    assert (embedded.status_code, Image.open(io.BytesIO(embedded.data)).size) == (200, (1, 1))
    browse(manager).post(f"/materials/{asset.id}/restore")
    assert Image.open(io.BytesIO(client.get(f"/a/{asset.public_id}.png").data)).size == (300, 250)


def test_editing_what_partners_have_placed_breaks_no_code(cast, browse, manager, client):
    asset, over = make_asset(cast.manager), make_asset(cast.manager, status=Status.ARCHIVED)
    db.session.commit()
    browser, said = browse(manager), {"title": "Better", "visibility": "all"}
    assert "is_published" not in browser.get(f"/materials/{over.id}/edit").text
    for each in (asset, over):
        assert browser.post(f"/materials/{each.id}", data=said).status_code == 303
        assert client.get(f"/a/{each.public_id}.png").status_code == 200
    db.session.expire_all()
    assert (asset.status, over.status, over.title) == (Status.PUBLISHED, Status.ARCHIVED, "Better")


def test_expired_banner_shows_its_replacement(cast, client):
    new = make_asset(cast.manager, content=picture((320, 100)))
    asset = make_asset(cast.manager, valid_until=clock.now() - timedelta(days=1))
    asset.replacement_id = new.id
    db.session.commit()
    assert Image.open(io.BytesIO(client.get(f"/a/{asset.public_id}.png").data)).size == (320, 100)


def test_drafts_and_wrong_endings_are_not_public(cast, client):
    draft, asset = make_asset(cast.manager, status=Status.DRAFT), make_asset(cast.manager)
    text = make_text(cast.manager)
    db.session.commit()
    assert client.get(f"/a/{draft.public_id}.png").status_code == 404
    assert client.get(f"/a/{asset.public_id}.gif").status_code == 404
    assert client.get(f"/a/{text.public_id}.txt").status_code == 404


def test_no_site_shows_a_broken_picture_whatever_becomes_of_a_material(cast, browse, manager, client):
    asset, gone = make_asset(cast.manager), "0" * 12
    db.session.commit()
    placed = f"/a/ACME/{asset.public_id}.png"
    assert Image.open(io.BytesIO(client.get(placed).data)).size == (300, 250)
    said = {"title": "Ours", "visibility": "staff"}
    assert browse(manager).post(f"/materials/{asset.id}", data=said).status_code == 303
    answers = [client.get(url) for url in (placed, f"/a/{gone}.png", f"/a/ACME/{gone}.png")]
    for answer in answers:
        assert (answer.status_code, answer.mimetype) == (404, "image/gif")
        assert Image.open(io.BytesIO(answer.data)).size == (1, 1)
    told = [{k: v for k, v in answer.headers if k not in ("Date", "X-Request-ID")} for answer in answers]
    assert told[0] == told[1] == told[2], "nobody learns whether there is one"
    frame = client.get(f"/b/for/ACME/{gone}/index.html")
    assert (frame.status_code, frame.data) == (404, b"")
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]


def test_public_pictures_may_be_kept_by_browsers(cast, client):
    asset = make_asset(cast.manager)
    db.session.commit()
    answer = client.get(f"/a/{asset.public_id}.png")
    assert "public, max-age=3600" in answer.headers["Cache-Control"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers
    assert (
        client.get(f"/a/{asset.public_id}.png", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )


# --- Downloads and thumbnails ----------------------------------------------


def test_worker_makes_small_webp_pictures(cast, browse, partner, worker):
    asset = make_asset(cast.manager, content=picture((1200, 1000)))
    db.session.commit()
    assert worker() >= 1
    answer = browse(partner).get(f"/materials/{asset.id}/thumbnail?v={asset.current.id}")
    small = Image.open(io.BytesIO(answer.data))
    assert (small.format, small.size) == ("WEBP", (600, 500))
    assert "immutable" in answer.headers["Cache-Control"]


def test_one_broken_picture_does_not_stop_the_others(cast, app):
    broken, fine = (
        make_asset(cast.manager, content=picture(color="red")),
        make_asset(cast.manager, content=picture(color="blue")),
    )
    db.session.commit()
    storage.delete(broken.current.key)
    assert tasks.thumbnails() == 2
    db.session.expire_all()
    assert (broken.current.thumbnail_state, fine.current.thumbnail_state) == (
        ThumbnailState.FAILED,
        ThumbnailState.READY,
    )
    assert tasks.thumbnails() == 0


# --- Campaigns -------------------------------------------------------------


def test_campaigns_are_added_and_renamed(browse, manager, cast):
    browser = browse(manager)
    assert browser.post("/materials/campaigns", data={"en": "Spring", "pl": "Wiosna"}).status_code == 303
    campaign = db.session.scalars(select(Campaign)).one()
    assert browser.post(f"/materials/campaigns/{campaign.id}", data={"en": "Summer"}).status_code == 303
    db.session.expire_all()
    assert campaign.names == {"en": "Summer"}
    assert browser.post("/materials/campaigns", data={"pl": "Wiosna"}).status_code == 422


def test_campaign_names_speak_the_readers_language(cast):
    campaign = make_campaign(cast.manager)
    campaign.names = {"en": "Spring", "pl": "Wiosna"}
    assert campaign.name == "Spring"


def test_a_picture_names_its_successor(cast, browse, manager, client):
    old, new = (
        make_asset(cast.manager, content=picture(color="red")),
        make_asset(cast.manager, content=picture(color="blue")),
    )
    letter = make_text(cast.manager)
    db.session.commit()
    browser, facts = browse(manager), {"title": "Old", "visibility": "all", "valid_until": "2020-01-31"}
    for wrong in (letter.id, 99999, "nonsense"):
        answer = browser.post(f"/materials/{old.id}", data=facts | {"replacement": wrong})
        assert answer.status_code == 422, wrong
    address = f"http://127.0.0.1:8000/materials/{new.id}"
    assert (
        browser.post(
            f"/materials/{old.id}", data=facts | {"replacement": address, "is_published": "y"}
        ).status_code
        == 303
    )
    assert client.get(f"/a/{old.public_id}.png").data == client.get(f"/a/{new.public_id}.png").data
    assert f'value="{new.id}"' in browser.get(f"/materials/{old.id}/edit").text
