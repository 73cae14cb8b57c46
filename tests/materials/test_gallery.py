"""The gallery shows what one may use, counted by facet, page by page."""

import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import event
from werkzeug.datastructures import MultiDict

from hub.core import clock
from hub.core.database import db
from hub.materials import colours, gallery, tasks
from hub.materials.gallery import Filters
from hub.materials.models import Visibility

from .factories import gold_asset, make_asset, make_campaign, make_text, picture


def titles(page) -> list[str]:
    return [asset.title for asset in page]


def chosen(query: str = "") -> Filters:
    return Filters.read(MultiDict(pair.split("=", 1) for pair in query.split("&") if pair))


@pytest.fixture
def five(cast):
    """Three banners, one of them in Polish and one in another size, a text and a document."""
    spring = make_campaign(cast.manager, "Spring")
    make_asset(cast.manager, title="English", locale="en", tags=["blog"], campaign_id=spring.id)
    make_asset(cast.manager, title="Polish", locale="pl", tags=["blog", "shop"])
    make_asset(cast.manager, title="Wide", locale="en", content=picture((728, 90)))
    make_text(cast.manager, title="Letter", locale="en")
    make_asset(cast.manager, title="Terms", content=b"%PDF-1.7\n%%EOF", name="terms.pdf")
    db.session.commit()
    return spring


def test_facets_count_what_their_tick_would_show(five, partner):
    found = gallery.facets(partner, chosen())
    assert found.kind == {"image": 3, "text": 1, "document": 1}
    assert found.size == {"300x250": 2, "728x90": 1}
    assert found.lang == {"en": 3, "pl": 1}
    assert found.campaign == {str(five.id): 1}
    assert found.tag == {"blog": 2, "shop": 1}
    assert (found.all, found.found, found.new) == (5, 5, 5)


def test_a_facet_is_narrowed_by_the_others_and_not_by_itself(five, partner):
    found = gallery.facets(partner, chosen("lang=en&kind=image"))
    assert found.lang == {"en": 2, "pl": 1}
    assert found.kind == {"image": 2, "text": 1}
    assert found.size == {"300x250": 1, "728x90": 1}
    assert found.tag == {"blog": 1}
    assert found.found == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"English", "Polish", "Wide", "Letter", "Terms"}),
        ("kind=image&kind=text", {"English", "Polish", "Wide", "Letter"}),
        ("size=728x90", {"Wide"}),
        ("size=300x250&lang=pl", {"Polish"}),
        ("tag=shop&tag=blog", {"English", "Polish"}),
        ("new=1", {"English", "Polish", "Wide", "Letter", "Terms"}),
        (
            "size=drop table&lang=xx&kind=nonsense&campaign=x",
            {"English", "Polish", "Wide", "Letter", "Terms"},
        ),
    ],
)
def test_filters(five, partner, query, expected):
    assert set(titles(gallery.assets(partner, chosen(query), None))) == expected
    assert gallery.facets(partner, chosen(query)).found == len(expected)


def test_old_assets_are_not_new(cast, partner):
    with clock.frozen(clock.now() - timedelta(days=60)):
        make_asset(cast.manager, title="Old")
    make_asset(cast.manager, title="Fresh")
    db.session.commit()
    assert titles(gallery.assets(partner, chosen("new=1"), None)) == ["Fresh"]


def test_most_used_come_first_when_asked(cast, partner):
    for title, uses in (("Some", 5), ("Most", 9), ("None", 0)):
        make_asset(cast.manager, title=title).uses = uses
    db.session.commit()
    assert titles(gallery.assets(partner, chosen("sort=used"), None)) == ["Most", "Some", "None"]


def test_pages_show_every_asset_once(cast, browse, partner):
    for number in range(gallery.SIZE + 5):
        make_asset(cast.manager, title=f"Number {number:02}")
    db.session.commit()
    browser = browse(partner)
    first = browser.get("/materials/").text
    further = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    second = browser.get(further).text
    shown = re.findall(r"Number \d\d", first) + re.findall(r"Number \d\d", second)
    assert sorted(shown) == [f"Number {number:02}" for number in range(gallery.SIZE + 5)]


def test_partners_see_their_level_only(cast, partner, other_partner, agent, manager):
    gold_asset(cast)
    make_asset(cast.manager, title="For the team", visibility=Visibility.STAFF)
    make_asset(cast.manager, title="Draft", status="draft")
    make_asset(cast.manager, title="Over", valid_until=clock.now() - timedelta(days=1))
    make_asset(cast.manager, title="Later", valid_from=clock.now() + timedelta(days=1))
    db.session.commit()
    assert titles(gallery.assets(partner, chosen(), None)) == ["Gold only"]
    assert titles(gallery.assets(other_partner, chosen(), None)) == []
    assert gallery.facets(other_partner, chosen()).size == {}
    assert set(titles(gallery.assets(agent, chosen(), None))) == {"Gold only", "For the team"}
    assert len(gallery.assets(manager, chosen(), None)) == 5


def test_another_levels_asset_is_nowhere(cast, browse, other_partner, client, worker):
    asset = gold_asset(cast)
    db.session.commit()
    worker()
    browser = browse(other_partner)
    assert "Gold only" not in browser.get("/materials/").text
    for door in ("", "/thumbnail", "/preview", "/download", "/qr.svg", "/qr.png"):
        assert browser.get(f"/materials/{asset.id}{door}").status_code == 404, door
    assert client.get(f"/a/{asset.public_id}.png").status_code == 404
    assert client.get(f"/a/OTHER/{asset.public_id}.png").status_code == 404
    assert client.get(f"/a/ACME/{asset.public_id}.png").status_code == 200


def test_gallery_needs_few_statements(five, browse, partner):
    browser = browse(partner)
    browser.get("/materials/")
    seen = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, statement, *_: seen.append(statement))
    browser.get("/materials/?lang=en&tag=blog")
    assert (
        len([statement for statement in seen if statement.startswith(("SELECT", "UPDATE", "INSERT"))]) <= 10
    )


def test_empty_gallery_says_what_comes(browse, partner, manager):
    assert "Nothing here yet" in browse(partner).get("/materials/").text
    assert "No materials yet" in browse(manager).get("/materials/").text


def test_filters_that_fit_nothing_offer_a_way_back(five, browse, partner):
    page = browse(partner).get("/materials/?lang=uk").text
    assert "Nothing fits these filters" in page
    assert "Show everything" in page


@pytest.mark.parametrize(
    ("colour", "family"),
    [
        ("#c8322b", "red"), ("#f2b632", "orange"), ("#ffd500", "yellow"), ("#2f8a4c", "green"), ("#0b5a66", "teal"),
        ("#2f62c4", "blue"), ("#7442b8", "purple"), ("#ff69b4", "pink"), ("#fdfdfb", "white"), ("#8b9694", "grey"),
        ("#0d1516", "black"),
    ],
)  # fmt: skip
def test_a_colour_has_a_family(colour, family):
    assert colours.family_of(colour) == family


def test_pictures_are_found_by_their_colour(cast, partner):
    """A dark blue sign on white is blue, what can be seen through counts for nothing, and grey is grey."""
    sign = Image.new("RGBA", (300, 250), "white")
    sign.paste((20, 60, 170, 255), (0, 0, 150, 100))
    clear = Image.new("RGBA", (300, 250), (255, 0, 0, 0))
    clear.paste((40, 150, 70, 255), (0, 0, 60, 60))
    for title, image in (("Sign", sign), ("Clear", clear), ("Grey", Image.new("RGB", (300, 250), "#777"))):
        out = io.BytesIO()
        image.save(out, "PNG")
        make_asset(cast.manager, title=title, content=out.getvalue())
    db.session.commit()
    assert tasks.thumbnails() == 3
    assert gallery.facets(partner, chosen()).colour == {"blue": 1, "green": 1, "grey": 1}
    assert titles(gallery.assets(partner, chosen("colour=blue"), None)) == ["Sign"]
