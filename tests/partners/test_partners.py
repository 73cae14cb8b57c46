"""Partners: codes, statuses, levels, coupons, links, the list and the import."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core import clock, imports
from hub.core.audit import AuditEvent
from hub.core.database import db, transaction
from hub.core.errors import Invalid
from hub.core.i18n import LOCALES, speaking
from hub.partners import coupons, levels, links, places, service
from hub.partners.importing import PARTNERS
from hub.partners.models import Partner, PartnerStatus, TierAssignment

from ..factories import make_partner

HEADER = "code,name,country,owner_email,manager,currency\n"


def put(text):
    with transaction():
        upload, _plan = imports.preview(PARTNERS, "partners.csv", (HEADER + text).encode(), None)
    with transaction():
        return imports.confirm(PARTNERS, upload, None)


def test_a_code_is_never_used_twice(cast, manager):
    with pytest.raises(service.CodeTaken), transaction():
        service.create(manager, "acme", name="Another", country="NO")


@pytest.mark.parametrize("code", ["", "A", "Ä1", "A B", "-AB", "A" * 21])
def test_a_code_that_does_not_fit_a_link_is_refused(cast, manager, code):
    with pytest.raises(service.WrongCode), transaction():
        service.create(manager, code, name="Another", country="NO")


def test_a_status_changes_along_its_way_and_leaves_a_trace(cast, manager):
    with transaction():
        service.change_status(cast.acme, PartnerStatus.CLOSED, manager, reason="asked")
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "partner.status")).one()
    assert (event.before, event.after) == ({"status": "active"}, {"status": "closed", "reason": "asked"})
    with pytest.raises(service.StatusNotPossible), transaction():
        service.change_status(cast.acme, PartnerStatus.SUSPENDED, manager)


def test_an_edit_records_what_differs(cast, manager):
    with transaction():
        assert service.edit(cast.acme, manager, name="Acme Group", country="NO") == {"name": "Acme Media"}


def test_levels_never_overlap_wherever_one_is_put(cast, manager):
    with transaction():
        standing = levels.standing(cast.acme)
        _bronze, silver, gold = levels.ladder()
        for days, tier in ((100, silver), (300, gold), (200, silver), (-50, gold), (100, gold)):
            standing.assign(tier, cast.acme.joined_at + timedelta(days=days), "manual", manager)
    rows = list(db.session.scalars(select(TierAssignment).order_by(TierAssignment.starts_at)))
    assert [each.ends_at for each in rows] == [each.starts_at for each in rows[1:]] + [None]


def test_a_new_year_begins_at_the_lowest_level_once(cast, manager):
    with transaction():
        levels.set_tier(cast.acme, levels.ensure_ladder()[2], manager)
        year = clock.now().year + 1
        assert [levels.begin_year(year), levels.begin_year(year)] == [1, 0]
    assert cast.acme.tier.key == "bronze"


def test_a_coupon_is_one_whatever_its_case(cast, manager):
    with transaction():
        coupons.assign(cast.acme, manager, "Bright10")
    with pytest.raises(coupons.CouponTaken), transaction():
        coupons.assign(cast.other_org, manager, "bRIGHT10")


def test_a_coupon_counts_from_now_until_it_ends(cast, manager):
    with transaction():
        coupon = coupons.assign(cast.acme, manager, "BRIGHT10")
        coupons.end(coupon, manager)
    assert coupon.is_valid_at(coupon.starts_at)
    assert not coupon.is_valid_at(coupon.ends_at)
    with pytest.raises(coupons.CouponOver), transaction():
        coupons.end(coupon, manager)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("", "http://127.0.0.1:8000/go/ACME"),
        ("/plans", "http://127.0.0.1:8000/go/ACME?to=/plans&utm_source=blog"),
        ("https://nordbill.example/plans", "http://127.0.0.1:8000/go/ACME?to=/plans&utm_source=blog"),
        (
            "/help/vat?country=gb#rates",
            "http://127.0.0.1:8000/go/ACME?to=/help/vat%3Fcountry%3Dgb%23rates&utm_source=blog",
        ),
    ],
)
def test_links_lead_deep_into_the_site(cast, to, expected):
    assert links.referral_link(cast.acme, to, **({"utm_source": "blog"} if to else {})) == expected


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example", "/\\evil", "plans", "https://nordbill.example.evil.org/"],
)
def test_links_lead_nowhere_else(cast, partner, browse, to):
    with pytest.raises(Invalid):
        links.referral_link(cast.acme, to)
    answer = browse(partner).get("/partners/own/link", query_string={"to": to})
    assert answer.status_code == 422


def test_the_list_finds_names_in_any_script_and_case(cast, agent, browse):
    make_partner(name="Студия Краснова", code="KRASNOVA", tags=["видео"])
    db.session.commit()
    browser = browse(agent)
    for query in ("q=сТУДИЯ", "q=krasn", "tag=видео"):
        page = browser.get(f"/partners/?{query}").text
        assert "Студия Краснова" in page
        assert "Acme Media" not in page


def test_an_import_adds_changes_and_then_knows(cast, manager):
    text = "acme,Acme Group,NO,,manager@example.org,\nNEWS,Новая студия,KZ,new@example.org,,EUR\n"
    assert put(text).counts == {"new": 2, "known": 0, "problems": 0}
    new = db.session.scalars(select(Partner).where(Partner.code == "NEWS")).one()
    assert (new.name, new.memberships[0].user.email, new.tier.key) == (
        "Новая студия",
        "new@example.org",
        "bronze",
    )
    assert (cast.acme.name, cast.acme.manager_id) == ("Acme Group", manager.id)
    assert put(text).counts == {"new": 0, "known": 2, "problems": 0}


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("A B,X,NO,,,", "code"),
        ("NEW,,NO,,,", "name"),
        ("NEW,X,NORWAY,,,", "country"),
        ("NEW,X,EU,,,", "country"),
        ("NEW,X,ZZ,,,", "country"),
        ("NEW,X,SU,,,", "country"),
        ("NEW,X,NO,nobody,,", "owner_email"),
        ("NEW,X,NO,other@example.org,,", "owner_email"),
        ("NEW,X,NO,,partner@example.org,", "manager"),
        ("NEW,X,NO,,,DOLLAR", "currency"),
    ],
)
def test_a_wrong_row_names_its_line_and_column(cast, line, column):
    found = imports.plan(PARTNERS, (HEADER + "OK1,Good,NO,,,\n" + line).encode())
    assert [(each.line, each.column) for each in found.problems] == [(3, column)]


def test_a_code_twice_in_a_file_is_reported(cast):
    found = imports.plan(PARTNERS, (HEADER + "NEW,X,NO,,,\nnew,Y,NO,,,").encode())
    assert [(each.line, each.column) for each in found.problems] == [(3, "code")]


def test_the_form_adds_and_edits(cast, manager, browse):
    browser = browse(manager)
    facts = {
        "code": "nordlys", "name": "Nordlys", "kind": "company", "country": "NO", "locale": "en", "manager": str(manager.id),
        "time_zone": "Europe/Oslo", "currency": "EUR", "tags": "Top, video", "channels": ["video"], "website": "https://n.example",
    }  # fmt: skip
    assert browser.post("/partners/", data=facts).location == "/partners/NORDLYS"
    assert browser.post("/partners/", data=facts).status_code == 422
    browser.post("/partners/NORDLYS/edit", data=facts | {"name": "Nordlys AS"})
    found = db.session.scalars(
        select(Partner).where(Partner.code == "NORDLYS").execution_options(populate_existing=True)
    ).one()
    assert (found.name, found.tags, found.channels, found.manager_id) == (
        "Nordlys AS",
        ["top", "video"],
        ["video"],
        manager.id,
    )


def test_countries_are_todays_and_have_names_in_every_language(app):
    for lang in LOCALES:
        with speaking(lang):
            found = dict(places.countries())
        assert len(found) == 249
        assert [code for code, name in found.items() if code == name] == []
    assert {"NO", "UA", "AX", "SS", "TL"} <= found.keys()
    assert not found.keys() & {"ZZ", "DD", "SU", "YU", "CS", "BU", "TP", "YD", "ZR", "EU", "XK"}
