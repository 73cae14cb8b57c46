"""A partner's link leads to the programme's site and nowhere else, at once; each click is counted, later."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.materials import clicks, public, visits
from hub.materials.models import Asset, AssetUse, Click, ClickKind
from hub.partners import links
from hub.partners.models import PartnerStatus

from .factories import gold_asset, make_asset

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture(autouse=True)
def nothing_remembered(app):
    """Links and clicks of other tests are not there."""
    public._remembered.clear()
    clicks._journal().let_go()
    shutil.rmtree(settings.home / clicks.FOLDER, ignore_errors=True)


@pytest.fixture
def asset(cast) -> Asset:
    asset = make_asset(cast.manager, title="Sale", landing="/sale?plan=team")
    db.session.commit()
    return asset


def leads_to(client, url: str, **headers: str) -> str:
    """Where a link leads, without the click's id."""
    response = client.get(url, headers=BROWSER | headers)
    assert response.status_code == 302
    address = response.headers["Location"]
    click = parse_qs(urlsplit(address).query).get("click")
    return address.replace(f"&click={click[0]}", "") if click else address


def counted() -> list[Click]:
    jobs.run(clicks.COUNT)
    return list(db.session.scalars(select(Click).order_by(Click.id)))


def test_link_leads_to_the_landing_page_with_the_code(asset, client):
    assert (
        leads_to(client, f"/go/ACME/{asset.public_id}") == "https://nordbill.example/sale?plan=team&ref=ACME"
    )
    assert leads_to(client, "/go/acme") == "https://nordbill.example/?ref=ACME"
    assert (
        leads_to(client, f"/go/ACME/{asset.public_id}?to=/pricing%3Fa%3D1%26ref%3DOTHER%26click%3Dx%23team")
        == "https://nordbill.example/pricing?a=1&ref=ACME#team"
    )


def test_marks_of_a_campaign_travel_along_and_come_once(cast, client):
    marked = "/go/ACME?to=/plans%3Futm_source%3Dold%26x%3D1&utm_source=blog&evil=1"
    assert leads_to(client, marked) == "https://nordbill.example/plans?x=1&utm_source=blog&ref=ACME"


def test_a_mark_that_stands_twice_in_a_page_comes_once(cast, client):
    twice = "/plans?utm_source=a&x=1&x=2&utm_source=b"
    built = links.referral_link(cast.acme, twice)
    assert leads_to(client, built) == "https://nordbill.example/plans?utm_source=a&x=1&x=2&ref=ACME"


def test_a_site_below_its_host_is_named_once(cast, client, monkeypatch):
    monkeypatch.setattr(settings._get_current_object(), "programme_site", "https://group.example/shop/")
    for to in ("/pricing", "/shop/pricing", "https://group.example/shop/pricing"):
        assert leads_to(client, f"/go/ACME?to={to}") == "https://group.example/shop/pricing?ref=ACME"
    for elsewhere in ("https://group.example/", "https://group.example/shopping"):
        assert links.page_of(elsewhere) is None


def test_a_built_link_has_no_mark_twice(cast):
    built = links.referral_link(
        cast.acme, "/plans?utm_source=old&x=1&ref=OTHER", utm_source=" blog ", utm_medium=""
    )
    assert built == "http://127.0.0.1:8000/go/ACME?to=/plans%3Fx%3D1&utm_source=blog"


def test_unknown_code_leads_to_the_site_without_one(cast, client):
    assert leads_to(client, "/go/NOBODY") == "https://nordbill.example/"
    assert leads_to(client, "/go/NOBODY/nothing?to=/pricing") == "https://nordbill.example/pricing"
    assert leads_to(client, "/s/nothing") == "https://nordbill.example/"
    cast.acme.status = PartnerStatus.CLOSED
    db.session.commit()
    assert leads_to(client, "/go/ACME") == "https://nordbill.example/"
    assert counted() == []


def test_further_hosts_are_those_of_the_settings(cast, client, monkeypatch):
    monkeypatch.setattr(
        settings._get_current_object(), "link_hosts", "help.nordbill.example, app.nordbill.example"
    )
    assert (
        leads_to(client, "/go/ACME?to=http://help.nordbill.example/vat?a=1")
        == "https://help.nordbill.example/vat?a=1&ref=ACME"
    )
    for wrong in (
        "https://help.nordbill.example:8443/",
        "https://x@help.nordbill.example/",
        "https://nordbill.example.evil/",
    ):
        assert leads_to(client, f"/go/ACME?to={wrong}") == "https://nordbill.example/?ref=ACME"


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
    parts = urlsplit(response.headers["Location"])
    assert (response.status_code, parts.scheme, parts.netloc) == (302, "https", "nordbill.example")
    assert not parts.path.startswith("//")
    assert "\\" not in parts.path
    assert dict(parse_qsl(parts.query))["ref"] == "ACME"
    assert "Set-Cookie" not in response.headers or "a=b" not in response.headers["Set-Cookie"]


# --- Short links -----------------------------------------------------------


def test_a_short_link_leads_where_the_long_one_does(asset, cast, client, browse, partner):
    browser = browse(partner)
    page = browser.post(
        "/partners/own/link/short",
        data={
            "to": "/pricing",
            "utm_source": "flyer",
            "next": "/partners/own/link?to=/pricing&utm_source=flyer",
        },
        follow_redirects=True,
    ).text
    with transaction():
        through = links.shorten(cast.acme, "", through=asset.public_id)
        assert links.shorten(cast.acme, "", through=asset.public_id) == through
    short = links.short_link("ACME", "/pricing", utm_source="flyer")
    assert short in page
    assert (
        leads_to(client, urlsplit(short).path) == "https://nordbill.example/pricing?utm_source=flyer&ref=ACME"
    )
    assert leads_to(client, urlsplit(through).path) == "https://nordbill.example/sale?plan=team&ref=ACME"
    assert [(click.asset_id, click.link) for click in counted()] == [
        (None, "to=/pricing&utm_source=flyer"), (asset.id, None),
    ]  # fmt: skip


def test_a_materials_page_builds_links_with_marks_and_makes_them_short(asset, cast, browse, partner, manager):
    browser, query = browse(partner), "?to=/pricing?utm_source=old&utm_source=blog&utm_campaign=autumn"
    address = (
        f"/go/<mark>ACME</mark>/{asset.public_id}?to=/pricing&amp;utm_source=blog&amp;utm_campaign=autumn"
    )
    page = browser.get(f"/materials/{asset.id}{query}").text
    assert address in page
    assert "Make it short" in page
    with transaction():
        short = links.shorten(
            cast.acme, "/pricing", through=asset.public_id, utm_source="blog", utm_campaign="autumn"
        )
    assert short in browser.get(f"/materials/{asset.id}?to=/pricing&utm_source=blog&utm_campaign=autumn").text
    assert "Make it short" not in browse(manager).get(f"/materials/{asset.id}").text


def test_a_short_link_leads_into_the_site_only(browse, partner):
    browser = browse(partner)
    assert browser.post("/partners/own/link/short", data={"to": "https://evil.example/"}).status_code == 422
    answer = browser.post("/partners/own/link/short", data={"to": "/a", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/partners/own/link"


# --- Counting --------------------------------------------------------------


def test_no_visitor_waits_for_a_write(asset, client):
    written = []

    def note(_c, _u, statement, *_rest):
        written.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        leads_to(client, f"/go/ACME/{asset.public_id}")
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert [each for each in written if not each.startswith(("SELECT", "BEGIN"))] == []
    assert len([each for each in written if each.startswith("SELECT")]) <= 2


def test_the_clicks_id_goes_along_and_is_kept(asset, client):
    address = client.get(
        f"/go/ACME/{asset.public_id}?to=/pricing",
        headers=BROWSER | {"Referer": "https://www.blog.example/post?secret=1"},
    ).headers["Location"]
    (click,) = counted()
    assert dict(parse_qsl(urlsplit(address).query))["click"] == click.uid
    assert (click.asset_id, click.link, click.referrer) == (asset.id, "to=/pricing", "blog.example")
    assert counted() == [click], "counted once"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (BROWSER, ClickKind.VISIT),
        ({"User-Agent": "Mozilla/5.0 (Linux; Android 11; CUBOT_X30) Chrome/120.0 Mobile"}, ClickKind.VISIT),
        (
            {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
            ClickKind.BOT,
        ),
        ({"User-Agent": "TelegramBot (like TwitterBot)"}, ClickKind.BOT),
        ({"User-Agent": "WhatsApp/2.23.20.0"}, ClickKind.BOT),
        ({"User-Agent": ""}, ClickKind.BOT),
        (BROWSER | {"Sec-Purpose": "prefetch;prerender"}, ClickKind.BOT),
    ],
)
def test_programs_are_told_from_people(cast, client, headers, kind):
    assert client.get("/go/ACME", headers=headers).status_code == 302
    assert [click.kind for click in counted()] == [kind]


def test_a_person_counts_once_a_day_and_material(asset, client):
    for url in ("/go/ACME", "/go/ACME", f"/go/ACME/{asset.public_id}"):
        client.get(url, headers=BROWSER)
    client.get("/go/ACME", headers=BROWSER | {"User-Agent": "Mozilla/5.0 Other/1.0"})
    assert [click.kind for click in counted()] == ["visit", "repeat", "visit", "visit"]
    client.get("/go/ACME", headers=BROWSER)
    assert counted()[-1].kind is ClickKind.REPEAT, "known from an earlier batch"
    with clock.frozen(clock.now() + timedelta(days=1)):
        client.get("/go/ACME", headers=BROWSER)
        assert counted()[-1].kind is ClickKind.VISIT


def test_the_day_is_the_programmes(cast, client):
    # Midnight in Oslo is at 22:00 UTC in summer.
    for hour, minute in ((21, 59), (22, 1), (23, 59)):
        with clock.frozen(datetime(2026, 7, 1, hour, minute, tzinfo=UTC)):
            client.get("/go/ACME", headers=BROWSER)
    with clock.frozen(datetime(2026, 7, 2, 0, 1, tzinfo=UTC)):
        client.get("/go/ACME", headers=BROWSER)
    assert [click.kind for click in counted()] == ["visit", "visit", "repeat", "repeat"]


def test_a_click_through_what_its_partner_may_not_see_counts_for_the_link_alone(cast, client):
    gold = gold_asset(cast)
    draft = make_asset(cast.manager, title="Draft", status="draft")
    db.session.commit()
    for code, asset in (("OTHER", gold), ("ACME", draft), ("ACME", gold)):
        client.get(f"/go/{code}/{asset.public_id}", headers=BROWSER | {"Referer": "https://blog.example/"})
    assert [click.asset_id for click in counted()] == [None, None, gold.id]
    assert [use.partner_id for use in db.session.scalars(select(AssetUse))] == [cast.acme.id]


def test_visitors_are_forgotten(cast, client):
    client.get("/go/ACME", headers=BROWSER)
    (click,) = counted()
    assert click.visitor
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert jobs.run("materials.forget_visitors") == 1
    db.session.refresh(click)
    assert click.visitor is None


def test_looking_at_a_link_is_not_a_click(cast, client):
    assert client.head("/go/ACME", headers=BROWSER).status_code == 302
    assert counted() == []


def test_visitor_is_led_on_when_the_disk_is_full(cast, client, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub.materials.journal.os.write", full)
    assert leads_to(client, "/go/ACME") == "https://nordbill.example/?ref=ACME"


def test_visitor_is_led_on_and_counted_when_the_database_is_away(asset, client, monkeypatch):
    def away():
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(type(db.engine), "connect", lambda _engine: away())
        assert leads_to(client, f"/go/ACME/{asset.public_id}") == "https://nordbill.example/?ref=ACME"
        assert leads_to(client, "/go/NOBODY") == "https://nordbill.example/?ref=NOBODY"
        assert leads_to(client, "/s/anything") == "https://nordbill.example/"
    assert [click.asset_id for click in counted()] == [asset.id]


def test_a_torn_line_costs_itself_only(cast, client):
    client.get("/go/ACME", headers=BROWSER)
    clicks._journal().let_go()
    (file,) = (settings.home / clicks.FOLDER).glob("*.clicks")
    whole = json.loads(file.read_text()) | {"uid": "second"}
    file.write_text(json.dumps(whole) + '\n{"uid":"third","at"\n[]\n{"at":"x","code":"ACME"}\n')
    assert [click.uid for click in counted()] == ["second"]
    assert list((settings.home / clicks.FOLDER).iterdir()) == []


COUNTER = """
from hub.app import create_app
from hub.core import jobs
app = create_app()
with app.app_context():
    jobs.run("materials.clicks")
"""


@pytest.mark.crash
def test_a_killed_worker_counts_nothing_twice(cast, client):
    db.session.commit()
    for n in range(20):
        client.get("/go/ACME", headers={"User-Agent": f"Mozilla/5.0 {n}"})
    clicks._journal().let_go()
    environment = os.environ | {
        "HUB_ENV": "test",
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_REDIS_URL": settings.redis_url,
        "HUB_CRASH_AT": "clicks_counted:1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    killed = subprocess.run([sys.executable, "-c", COUNTER], env=environment, timeout=60, check=False)
    assert killed.returncode == 137
    assert len(counted()) == 20


# --- What they add up to ---------------------------------------------------


@pytest.fixture
def week(asset, cast, client):
    """Yesterday two visits and a program through the asset, today one to a page; one of Other's."""
    with clock.frozen(clock.now() - timedelta(days=1)):
        for agent in ("Mozilla/5.0 a", "Mozilla/5.0 b", "Googlebot/2.1"):
            client.get(
                f"/go/ACME/{asset.public_id}",
                headers={"User-Agent": agent, "Referer": "https://blog.example/"},
            )
    client.get("/go/ACME?to=/pricing&utm_source=mail", headers=BROWSER)
    client.get("/go/OTHER?to=/secret-of-other", headers=BROWSER)
    jobs.run(clicks.COUNT)
    return asset


def test_clicks_by_day_material_link_and_site(week, partner):
    days = visits.span(None, None)
    found = visits.clicks(partner, days)
    assert [count.all for count in visits.by_day(found, days).values()] == [0] * 28 + [3, 1]
    assert visits.by_asset(found) == [(week, visits.Count(2, 0, 1)), (None, visits.Count(1, 0, 0))]
    assert visits.by_link(found) == [
        (None, visits.Count(2, 0, 1)),
        ("to=/pricing&utm_source=mail", visits.Count(1)),
    ]
    assert visits.by_site(found) == [("blog.example", visits.Count(2, 0, 1)), (None, visits.Count(1))]


def test_the_page_shows_ones_own_clicks(week, browse, partner, other_partner, manager):
    own, others = (browse(user).get("/materials/clicks").text for user in (partner, other_partner))
    assert "blog.example" in own
    assert "secret-of-other" not in own
    assert "secret-of-other" in others
    assert "blog.example" not in others
    everyones = browse(manager).get("/materials/clicks").text
    assert "secret-of-other" in everyones
    assert "blog.example" in everyones
    assert "blog.example" not in browse(manager).get("/materials/clicks?partner=OTHER").text
    assert browse(partner).get("/materials/clicks?partner=OTHER").status_code == 404


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("to=/pricing", "/pricing"),
        ("to=/pricing%3Fa%3D1&utm_source=blog", "/pricing?a=1&utm_source=blog"),
        ("utm_source=blog&utm_medium=post", "utm_source=blog&utm_medium=post"),
    ],
)
def test_links_are_shown_as_people_write_them(link, expected):
    assert visits.readable(link) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-01-01", "2026-01-31", ("2026-01-01", "2026-01-31")),
        ("2026-01-31", "2026-01-01", ("2026-01-01", "2026-01-01")),
        (None, "2026-01-30", ("2026-01-01", "2026-01-30")),
        ("nonsense", "9999-99-99", ("2026-04-22", "2026-05-21")),
        ("0001-01-01", "9999-12-31", ("2025-04-17", "2026-05-21")),
    ],
)
def test_days_asked_for_are_days_there_were(app, first, last, expected):
    with clock.frozen(datetime(2026, 5, 21, 12, tzinfo=UTC)):
        days = visits.span(first, last)
    assert (days.first.isoformat(), days.last.isoformat()) == expected
