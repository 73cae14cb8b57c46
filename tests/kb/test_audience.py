"""Who may read what: decided for pages and for the index alike."""

import pytest
from sqlalchemy import select

from hub.core import fulltext
from hub.core.access import visible
from hub.core.database import db, transaction
from hub.kb import finding, service
from hub.kb.models import Article, Audience, Category, Translation
from hub.partners import levels
from hub.partners.models import Partner, PartnerStatus

from .factories import make_article, make_category


@pytest.fixture
def tiers(app):
    with transaction():
        return {tier.key: tier for tier in levels.ensure_ladder()}


@pytest.fixture
def gold_article(tiers):
    """An article for Gold partners and for those tagged “video”."""
    with transaction():
        found = make_article(make_category(), "Marmalade for the best", body="Only marmalade.")
        service.file_under(found.article, found.article.category, Audience.CHOSEN, ["tier:gold", "tag:video"])
        return found


def found(user):
    return [hit.document.title for hit in fulltext.find(user, "en", "marmalade").hits]


def reads(user):
    return len(db.session.scalars(visible(select(Translation), user)).all())


def promote(partner, **facts):
    with transaction():
        for name, value in facts.items():
            setattr(db.session.get(Partner, partner.id), name, value)


def test_chosen_partners_read_and_find_and_nobody_else_does(
    gold_article, tiers, cast, browse, client, worker
):
    worker()
    promote(cast.acme, tier_id=tiers["gold"].id)
    promote(cast.other_org, tier_id=tiers["silver"].id, tags=["podcast"])
    path = gold_article.path
    readers = {"partner": 200, "other_partner": 404, "agent": 200}
    assert {who: browse(getattr(cast, who)).get(path).status_code for who in readers} == readers
    assert client.get(path).status_code == 404
    assert [bool(found(getattr(cast, who))) for who in readers] == [True, False, True]
    # Nor does a correction or the list of all articles tell that there is such a word.
    assert "marmalade" not in str(fulltext.find(cast.other_partner, "en", "marmalate").instead)
    assert "Marmalade" not in browse(cast.other_partner).get("/kb/").text


def test_a_tag_is_enough_and_takes_effect_without_indexing_again(gold_article, cast, worker):
    worker()
    assert found(cast.other_partner) == []
    promote(cast.other_org, tags=["videos", "my video"])
    assert (found(cast.other_partner), reads(cast.other_partner)) == ([], 0)
    promote(cast.other_org, tags=["podcast", "video"])
    assert (found(cast.other_partner), reads(cast.other_partner)) == (["Marmalade for the best"], 1)
    promote(cast.other_org, status=PartnerStatus.SUSPENDED)
    assert (found(cast.other_partner), reads(cast.other_partner)) == ([], 0)


def test_a_tag_may_be_written_in_any_script_and_with_any_mark(gold_article, cast):
    tag = 'Відео "100 %" \\ топ'.lower()
    with transaction():
        article = db.session.get(Article, gold_article.article_id)
        service.file_under(article, article.category, Audience.CHOSEN, [f"tag:{tag}"])
    assert reads(cast.other_partner) == 0
    promote(cast.other_org, tags=["x", tag])
    assert reads(cast.other_partner) == 1


def test_the_editor_chooses_levels_and_tags(gold_article, browse, agent, tiers):
    browser = browse(agent)
    fields = {
        "title": "T",
        "body": "B",
        "category": gold_article.article.category_id,
        "owner": "0",
        "seen": "1",
    }
    nobody = browser.post(f"/kb/{gold_article.id}/edit", data=fields | {"audience": "chosen"})
    assert nobody.status_code == 422
    assert "Choose at least one level or tag." in nobody.text
    chosen = {"audience": "chosen", "reader_tiers": ["silver", "gold"], "reader_tags": "Podcast, "}
    assert browser.post(f"/kb/{gold_article.id}/edit", data=fields | chosen).status_code == 303
    db.session.expire_all()
    assert db.session.get(Article, gold_article.article_id).readers == [
        "tag:podcast",
        "tier:gold",
        "tier:silver",
    ]


@pytest.fixture
def tree(app):
    """Money › Payouts › Banks, and Rules."""
    with transaction():
        money = make_category("money", order=1)
        payouts = make_category("payouts", names={"en": "Payouts"}, parent_id=money.id)
        banks = make_category("banks", names={"en": "Banks"}, parent_id=payouts.id)
        return {"money": money, "payouts": payouts, "banks": banks, "rules": make_category("rules", order=2)}


def test_shelves_stand_within_shelves_and_lead_back(tree, browse, partner):
    with transaction():
        make_article(db.session.get(Category, tree["banks"].id), "IBAN")
    top = finding.shelves(partner)
    assert [(shelf.category.key, shelf.within[0].within[0].count) for shelf in top] == [("money", 1)]
    page = browse(partner).get("/kb/en/iban").text
    assert (
        page.index("/kb/category/money")
        < page.index("/kb/category/payouts")
        < page.index("/kb/category/banks")
    )
    assert "IBAN" in browse(partner).get("/kb/category/banks").text
    assert browse(partner).get("/kb/category/rules").status_code == 404


def test_a_category_is_made_renamed_moved_and_removed(tree, browse, agent, worker):
    browser = browse(agent)
    money, rules = tree["money"].id, tree["rules"].id
    browser.post("/kb/categories/new", data={"parent": money, "icon": "coins", "name_pl": "Podatki"})
    taxes = db.session.query(Category).filter_by(key="podatki").one()
    assert (taxes.parent_id, taxes.name("en")) == (money, "Podatki")
    browser.post(f"/kb/categories/{rules}/move", data={"to": "up"})
    page = browser.get("/kb/categories").text
    assert page.index(f'id="category-{rules}"') < page.index(f'id="category-{money}"')
    circle = browser.post(
        f"/kb/categories/{money}", data={"parent": tree["banks"].id, "icon": "coins", "name_en": "Money"}
    )
    assert "cannot be within itself" in circle.text
    assert browser.post(f"/kb/categories/{money}/remove").status_code == 409
    assert browser.post(f"/kb/categories/{taxes.id}/remove").status_code == 303


def test_a_category_without_any_name_is_asked_for_one(browse, agent):
    answer = browse(agent).post("/kb/categories/new", data={"parent": "0", "icon": "book-2"})
    assert answer.status_code == 422
    assert "A category needs a name in one language at least." in answer.text


def test_where_there_is_no_category_yet_writers_are_led_to_one(browse, agent):
    assert 'href="/kb/categories/new"' in browse(agent).get("/kb/new").text


def test_a_renamed_category_reaches_the_search(tree, browse, agent, partner, worker):
    with transaction():
        make_article(db.session.get(Category, tree["rules"].id), "Marmalade")
    worker()
    form = {"parent": 0, "icon": "scale", "name_en": "The small print"}
    browse(agent).post(f"/kb/categories/{tree['rules'].id}", data=form)
    worker()
    assert fulltext.find(partner, "en", "marmalade").hits[0].document.crumbs == ("The small print",)


def test_a_shelf_shows_each_article_once_in_the_nearest_language(app, partner):
    with transaction():
        category = make_category()
        for number in range(8):
            made = make_article(category, f"Article {number}")
            if number == 7:
                service.publish(service.translate(made.article, None, "ru", service.Text("Статья", "Текст")))
        partner.locale = "en"
    shelf = finding.shelves(partner)[0]
    assert (shelf.count, len(shelf.articles)) == (8, finding.ON_SHELF)
    assert {each.locale for each in shelf.articles} == {"en"}
    assert db.session.query(Translation).count() == 9
