"""“See also”: what shares its words, what is read in one sitting, and nothing one may not read."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.kb import relating, service
from hub.kb.models import Audience, Translation
from hub.kb.models.related import ReadTogether
from hub.kb.sittings import Sittings
from hub.kb.views import sitting

from .factories import make_article, make_category


@pytest.fixture
def library(cast, monkeypatch):
    """Four articles on four shelves; the first two are about the same."""
    bodies = {
        "Coupons": "Customers type a coupon and get a discount at checkout.",
        "Discounts": "A discount at checkout comes from coupons of customers.",
        "Banners": "Pictures in many sizes for a website.",
        "Telephone": "Somebody answers from nine to six.",
    }
    monkeypatch.setattr(sitting, "sittings", Sittings())
    with transaction():
        return {
            title: make_article(make_category(title.lower()), title, body=body)
            for title, body in bodies.items()
        }


def related(article, user):
    db.session.rollback()
    return [each.title for each in relating.related(article, user)]


def test_articles_that_share_their_words_are_related_and_follow_changes(library, partner):
    jobs.run("kb.relate")
    assert related(library["Coupons"], partner) == ["Discounts"]
    assert related(library["Banners"], partner) == []
    with transaction():
        text = service.Text("Telephone", "Customers ask for a coupon and a discount by telephone.")
        service.revise(db.session.get(Translation, library["Telephone"].id), None, text, seen=1)
    jobs.run("kb.relate")
    assert set(related(library["Coupons"], partner)) == {"Discounts", "Telephone"}
    with transaction():
        service.archive(db.session.get(Translation, library["Discounts"].id))
    assert related(library["Coupons"], partner) == ["Telephone"]


def test_what_is_read_in_one_sitting_belongs_together_and_nobody_is_named(
    library, browse, partner, other_partner, agent, worker
):
    soon = timedelta(minutes=2)

    def reads(user, *titles):
        browser, moment = browse(user), clock.now()
        for title in titles:
            with clock.frozen(moment):
                browser.get(library[title].path).close()
            moment += soon

    reads(agent, "Coupons", "Banners")
    reads(other_partner, "Banners")
    reads(partner, "Banners", "Telephone", "Banners", "Telephone")
    worker()
    db.session.rollback()
    pairs = db.session.execute(select(ReadTogether.__table__)).all()
    together = library["Banners"].article_id, library["Telephone"].article_id
    assert pairs == [(*together, 1.0)]
    jobs.run("kb.tidy")
    assert related(library["Banners"], partner) == []  # the words of nothing are known yet
    jobs.run("kb.relate")
    assert related(library["Banners"], partner) == ["Telephone"]
    assert "Telephone</a>" in browse(partner).get(library["Banners"].path).text.partition("See also")[2]


def test_nothing_is_related_that_one_may_not_read(library, partner, agent, client):
    with transaction():
        article = db.session.get(Translation, library["Discounts"].id).article
        service.file_under(article, article.category, Audience.STAFF, [])
    jobs.run("kb.relate")
    assert (related(library["Coupons"], partner), related(library["Coupons"], agent)) == ([], ["Discounts"])
    assert "Discounts" not in client.get(library["Coupons"].path).text
