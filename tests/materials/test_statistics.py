"""What materials are used for: views, downloads, clicks, and the sales and money that came of them."""

import csv
import io
import shutil
from collections import Counter
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from hub.core import clock, i18n, imports, jobs, months
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.earnings.importing import SALES
from hub.earnings.models import Attribution, LedgerEntry, SaleKind
from hub.materials import clicks, crediting, gallery, journal, showing, stats, using, visits
from hub.materials.gallery import Filters
from hub.materials.models import Asset, AssetUse, Basis, Click, Placement, SaleCredit
from hub.materials.stats import Question
from hub.materials.using import Site
from tests.earnings.factories import HEADER, refund, sell

from .factories import gold_asset, html5, make_asset, picture

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture(autouse=True)
def nothing_noted(app):
    for folder, job in ((clicks.FOLDER, clicks.COUNT), (showing.FOLDER, showing.COUNT)):
        journal.of_process(folder, job).let_go()
        shutil.rmtree(settings.home / folder, ignore_errors=True)


@pytest.fixture
def banner(cast) -> Asset:
    asset = make_asset(cast.manager, title="=Sale")
    db.session.commit()
    return asset


def visit(partner, asset, at=None, **values) -> Click:
    at = at or clock.now()
    click = Click(
        partner_id=partner.id, asset_id=asset.id if asset else None, at=at, day=months.day_of(at), **values
    )
    db.session.add(click)
    db.session.commit()
    return click


def credited() -> dict[str, tuple[int | None, Basis]]:
    jobs.run(crediting.CREDIT)
    rows = select(LedgerEntry.snapshot, SaleCredit.asset_id, SaleCredit.basis).join(
        SaleCredit, SaleCredit.conversion_id == LedgerEntry.conversion_id
    )
    return {snapshot["order"]: (asset, basis) for snapshot, asset, basis in db.session.execute(rows)}


def sums(user, **narrowed) -> list[stats.Sums]:
    return stats.sums(Question(user, visits.span(None, None), **narrowed))


# --- Views and places ------------------------------------------------------


def test_two_who_count_the_same_day_at_once_lose_nothing(banner, cast, monkeypatch):
    day, site = (
        using.Day(banner.id, cast.acme.id, months.day_of(clock.now())),
        Site(banner.id, cast.acme.id, "a.example"),
    )
    for more in (2, 3):
        using.add("downloads", Counter({day: more}))
        using.place("visits", Counter({site: more}))
        monkeypatch.setattr(using, "_known", lambda *_args: {})  # the other's row has just come
    rows = db.session.scalars(select(AssetUse)).one(), db.session.scalars(select(Placement)).one()
    assert (rows[0].downloads, rows[1].visits) == (5, 5)


def test_views_on_other_sites_are_counted_by_partner_and_site(banner, cast, client, partner):
    play = make_asset(cast.manager, title="Play", content=html5(), name="play.zip")
    db.session.commit()
    blog = BROWSER | {"Referer": "https://www.blog.example/post?secret=1"}
    for headers in (
        blog,
        blog,
        BROWSER,
        {"User-Agent": "Googlebot/2.1"},
        blog | {"Referer": settings.base_url},
    ):
        client.get(f"/a/acme/{banner.public_id}.png", headers=headers)
    client.get(f"/a/{banner.public_id}.png", headers=blog)
    client.get(f"/b/for/ACME/{play.public_id}/index.html", headers=blog)
    client.get(f"/a/NOBODY/{banner.public_id}.png", headers=BROWSER)
    assert db.session.scalar(select(func.count(AssetUse.id))) == 0, "no visitor waits for the database"
    assert jobs.run(showing.COUNT) == 6
    assert jobs.run(showing.COUNT) == 0
    rows = db.session.execute(select(AssetUse.asset_id, AssetUse.partner_id, AssetUse.views)).all()
    assert {tuple(row) for row in rows} == {
        (banner.id, cast.acme.id, 3), (banner.id, None, 2), (play.id, cast.acme.id, 1),
    }  # fmt: skip
    own = Question(partner, visits.span(None, None))
    assert [row[:3] for row in stats.sites(own)] == [("blog.example", 3, 0)]


def test_views_are_counted_once_though_the_worker_dies_in_between(banner, client, monkeypatch):
    client.get(f"/a/ACME/{banner.public_id}.png", headers=BROWSER)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", lambda *_args, **_options: None)
        assert jobs.run(showing.COUNT) == 1
    assert jobs.run(showing.COUNT) == 0
    assert db.session.scalar(select(func.sum(AssetUse.views))) == 1
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert showing.forget_files() == 1


def test_invented_sites_fill_no_database_and_push_no_real_one_out(banner, cast, monkeypatch):
    monkeypatch.setattr(using, "MOST_SITES", 3)
    parts = [range(5), range(3, 8)]
    for part in parts:
        with transaction():
            using.place("views", Counter({Site(banner.id, cast.acme.id, f"{n}.example"): 1 for n in part}))
    with transaction():
        using.place("visits", Counter({Site(banner.id, cast.acme.id, "real.example"): 2}))
    for part in parts:
        with transaction():
            using.place("views", Counter({Site(banner.id, cast.acme.id, f"{n}.fake"): 1 for n in part}))
    sites = list(db.session.scalars(select(Placement.site)))
    assert len(sites) == 3
    assert "real.example" in sites


def test_clicks_and_downloads_are_summed_by_day_without_robots_and_repeats(
    banner, cast, client, browse, partner
):
    for headers in (BROWSER, BROWSER, {"User-Agent": "curl/8"}):
        client.get(f"/go/ACME/{banner.public_id}", headers=headers | {"Referer": "https://shop.example/"})
    jobs.run(clicks.COUNT)
    for _again in range(2):
        browse(partner).get(f"/materials/{banner.id}/download")
    (row,) = sums(partner)
    assert (row.id, row.visits, row.downloads, row.views) == (banner.id, 1, 1, 0)
    db.session.expire_all()
    assert db.session.scalars(select(Placement.site)).all() == ["shop.example"]


# --- Sales -----------------------------------------------------------------


def test_the_shops_click_id_comes_back_with_the_sale(banner, cast, manager):
    click = visit(cast.acme, banner)
    other = visit(cast.other_org, banner)
    moment = clock.now().isoformat()
    rows = [
        f"{number},{moment},ACME,,100.00,EUR,Start,sale,,{uid}"
        for number, uid in (("K1", click.uid), ("K2", other.uid), ("K3", "gone"))
    ]
    file = "\n".join([f"{HEADER},click_id", *rows]).encode()
    with transaction():
        upload, plan = imports.preview(SALES, "sales.csv", file, manager)
        assert not plan.problems
        imports.confirm(SALES, upload, manager)
    by_click, by_last = (banner.id, Basis.CLICK), (banner.id, Basis.AFTER)
    assert credited() == {"K1": by_click, "K2": by_last, "K3": by_last}, (
        "another partner's click proves nothing"
    )
    bad = f"{HEADER},click_id\nK4,{moment},ACME,,100.00,EUR,Start,sale,,<b>".encode()
    with transaction():
        _upload, plan = imports.preview(SALES, "sales.csv", bad, manager)
    assert [problem.column for problem in plan.problems] == ["click_id"]


def test_a_click_of_long_ago_earns_nothing_any_more(cast, banner):
    now = clock.now()
    old, young = (
        visit(cast.acme, banner, now - timedelta(days=61)),
        visit(cast.acme, banner, now - timedelta(days=59)),
    )
    coupon = {"attribution": Attribution.COUPON}
    sell(cast.acme, at=now, external_id="A", click_id=old.uid, **coupon)
    sell(cast.acme, at=now, external_id="B", click_id=young.uid, **coupon)
    sell(cast.acme, at=now, external_id="C", click_id=old.uid, kind=SaleKind.RENEWAL)
    db.session.commit()
    assert credited() == {
        "A": (None, Basis.NONE),
        "B": (banner.id, Basis.CLICK),
        "C": (banner.id, Basis.CLICK),
    }


def test_a_sale_without_a_click_id_counts_for_the_last_visitors_material(cast, banner):
    now, older = clock.now(), make_asset(cast.manager, title="Older")
    db.session.commit()
    visit(cast.acme, older, now - timedelta(days=90))
    visit(cast.acme, older, now - timedelta(days=50))
    visit(cast.acme, banner, now - timedelta(days=2))
    visit(cast.acme, older, now - timedelta(days=1), kind="bot")
    visit(cast.acme, None, now - timedelta(hours=1))
    at = {"A": 1.5, "B": 20, "C": 0, "D": 200, "E": 1.5, "F": 1.5}
    more = {"E": {"attribution": Attribution.COUPON}, "F": {"kind": SaleKind.RENEWAL}}
    for number, days in at.items():
        sell(cast.acme, at=now - timedelta(days=days), external_id=number, **more.get(number, {}))
    db.session.commit()
    nothing = None, Basis.NONE
    assert credited() == {
        "A": (banner.id, Basis.AFTER), "B": (older.id, Basis.AFTER), "C": nothing, "D": nothing,
        "E": nothing, "F": nothing,
    }  # fmt: skip


def test_earnings_are_the_ledgers_by_currency_and_refunds_are_taken_off(
    cast, banner, partner, other_partner, manager
):
    click, others = visit(cast.acme, banner), visit(cast.other_org, banner)
    moment = clock.now()
    made = sell(cast.acme, 10_000, moment, click_id=click.uid)
    sell(cast.acme, 30_000, moment, currency="GBP", click_id=click.uid)
    sell(cast.acme, 30_000, moment, kind=SaleKind.RENEWAL, click_id=click.uid)
    sell(cast.other_org, 170_000, moment, click_id=others.uid)
    refund(made, 5_000, moment)
    db.session.commit()
    jobs.run(crediting.CREDIT)
    entries = select(LedgerEntry.currency, func.sum(LedgerEntry.amount_minor)).group_by(LedgerEntry.currency)
    whole = {currency: int(minor) for currency, minor in db.session.execute(entries)}
    assert stats.total(sums(manager)).earned == whole
    (own,), (theirs,) = sums(partner), sums(other_partner)
    assert (own.conversions, theirs.conversions) == (2, 1)
    assert {
        currency: own.earned.get(currency, 0) + theirs.earned.get(currency, 0) for currency in whole
    } == whole
    assert [row.id for row in sums(manager, by="partner")] == [cast.other_org.id, cast.acme.id]


def test_the_best_earning_come_first_whatever_the_currency(cast, partner):
    poor, rich, never = (make_asset(cast.manager, title=title) for title in ("Poor", "Rich", "Never"))
    db.session.commit()
    at = clock.now()
    for asset, amount, currency in ((poor, 100, "EUR"), (poor, 1000_000, "UAH"), (rich, 1000_000, "UAH")):
        sell(cast.acme, amount, at, currency=currency, click_id=visit(cast.acme, asset).uid)
    sell(cast.acme, 900, at, click_id=visit(cast.acme, rich).uid)
    db.session.commit()
    changed = poor.updated_at
    jobs.run(crediting.CREDIT)
    db.session.expire_all()
    page = gallery.assets(partner, Filters.read(MultiDict({"sort": "earned"})), None)
    assert [asset.title for asset in page] == ["Rich", "Poor", "Never"]
    assert poor.updated_at == changed, "search need not hear of it"
    assert never.earned == 0


def test_recommended_is_what_fits_and_is_not_used_yet(cast, browse, partner, manager):
    def add(title, locale, size):
        return make_asset(cast.manager, title=title, locale=locale, content=picture(size))

    add("Fits", "en", (300, 250))
    add("Foreign", "pl", (300, 250))
    add("Any language", None, (300, 250))
    wide, used = add("Wide", "en", (728, 90)), add("Used", "en", (300, 250))
    db.session.commit()
    browser = browse(partner)
    found = [asset.title for asset in gallery.assets(partner, Filters(fits=True), None)]
    assert set(found) == {"Fits", "Any language", "Wide", "Used"}, "who has no sizes yet gets all of them"
    browser.get(f"/materials/{used.id}/download")
    fitting = gallery.assets(partner, Filters(fits=True), None)
    assert {asset.title for asset in fitting} == {"Fits", "Any language"}
    assert gallery.facets(partner, Filters(fits=True)).found == 2
    assert "Recommended for me" in browser.get("/materials/?fits=1").text
    assert "Recommended for me" not in browse(manager).get("/materials/").text
    assert wide.title not in browser.get("/materials/?fits=1").text


# --- The page and the files ------------------------------------------------


def test_the_page_shows_each_their_own_and_what_nobody_uses(
    cast, banner, browse, partner, other_partner, manager
):
    gold = gold_asset(cast)
    db.session.commit()
    click = visit(cast.acme, gold)
    sell(cast.acme, 10_000, clock.now(), click_id=click.uid)
    db.session.commit()
    jobs.run(crediting.CREDIT)
    own = browse(partner).get("/materials/statistics").text
    assert "Gold only" in own
    assert "€15.00" in own
    others = browse(other_partner)
    assert "No use in these days" in others.get("/materials/statistics").text
    assert "Gold only" not in others.get("/materials/statistics?by=unused").text
    assert "=Sale" in browse(partner).get("/materials/statistics?by=unused").text
    team = browse(manager)
    assert "Acme Media" in team.get("/materials/statistics?by=partner").text
    assert "Acme Media" in team.get(f"/materials/statistics?asset={gold.id}").text
    assert "Gold only" not in team.get("/materials/statistics?by=unused").text


def test_files_hold_numbers_and_no_formulas(cast, banner, browse, manager):
    sell(cast.acme, 12_345, clock.now(), click_id=visit(cast.acme, banner).uid)
    db.session.commit()
    jobs.run(crediting.CREDIT)
    entry = db.session.scalars(select(LedgerEntry)).one()
    browser = browse(manager)
    rows = list(csv.reader(io.StringIO(browser.get("/materials/statistics.csv").data.decode("utf-8-sig"))))
    assert rows[1][1] == "'=Sale"
    assert rows[1][-1] == str(entry.amount_minor / 10 ** i18n.exponent("EUR"))
    sheet = load_workbook(io.BytesIO(browser.get("/materials/statistics.xlsx").data)).active
    assert sheet.cell(2, 2).value == "'=Sale"
    assert sheet.cell(2, 2).data_type == "s"
    assert float(sheet.cell(2, sheet.max_column).value) == entry.amount_minor / 100
