"""The query log, what the team makes of it, and its say about words."""

import re
from datetime import timedelta

import pytest

from hub.core import clock, fulltext, jobs
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.kb import service as articles
from hub.kb.models import Translation
from hub.notifications.models import Notification
from hub.search import answers
from hub.search.models import Answering, LoggedSearch, Wish
from tests.kb.factories import make_article, make_category
from tests.tickets.factories import make_ticket


@pytest.fixture
def shelf(cast, worker):
    with transaction():
        shelf = make_category()
        make_article(shelf, "Coupons", body="A discount for customers.")
        make_article(shelf, "Discounts", body="Percent and sums.")
    worker()
    return shelf


def logged():
    db.session.rollback()  # what the worker wrote since is not in the snapshot of this reader
    return list(db.session.scalars(db.select(LoggedSearch).order_by(LoggedSearch.id)))


def test_searches_of_partners_are_noted_with_what_was_opened(shelf, browse, partner, agent, worker):
    client = browse(partner)
    page = client.get("/search/?q=++Coupons ").text
    token = re.search(r'data-hits="([^"]+)"', page)[1]
    key = re.search(r'data-hit="([^"]+)"', page)[1]
    client.post("/search/opened", data={"token": token, "key": key})
    client.post("/search/opened", data={"token": token, "key": "article:999"})
    client.get("/search/?q=coupons&page=2")
    client.get("/search/?q=coupons&kind=article")
    client.get("/search/suggest?q=coupons")
    browse(agent).get("/search/?q=coupons")
    worker()
    (search,) = logged()
    assert (search.text, search.lang, search.results, search.clicked) == ("coupons", "en", 1, key)
    assert search.user_id == partner.id


def test_searches_are_forgotten_when_the_setting_says(shelf, browse, partner, agent, worker, monkeypatch):
    client = browse(partner)
    client.get("/search/?q=unknowable")
    client.post("/search/wish", data={"lang": "en", "text": "unknowable"})
    worker()
    with transaction():
        answers.begin(agent, "en", "unknowable")
    jobs.run("search.forget")
    assert (len(logged()), db.session.scalar(db.select(Answering.text))) == (1, "unknowable")
    later = clock.now() + timedelta(days=settings.search_log_days, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    jobs.run("search.forget")
    assert logged() == []
    assert db.session.scalars(db.select(Wish)).all() == []
    assert db.session.scalars(db.select(Answering)).all() == []


def test_nothing_is_noted_when_the_setting_is_zero(shelf, browse, partner, worker, monkeypatch):
    monkeypatch.setattr(settings._get_current_object(), "search_log_days", 0)
    browse(partner).get("/search/?q=coupons")
    worker()
    assert logged() == []


def test_a_question_without_results_becomes_an_article_and_those_who_agreed_are_told(
    shelf, browse, partner, other_partner, agent, worker
):
    for user in (partner, other_partner):
        page = browse(user).get("/search/?q=Refund deadlines").text
        assert "Tell me when there is an answer" in page
    browse(partner).post("/search/wish", data={"lang": "en", "text": "Refund deadlines"})
    browse(partner).post("/search/wish", data={"lang": "en", "text": "refund  deadlines"})
    worker()

    row = browse(agent).get("/search/insights").text
    assert "refund deadlines" in row
    assert "1 person waits" in row
    question = {"lang": "en", "text": "refund deadlines"}
    begun = browse(agent).post("/search/insights/draft", data=question)
    again = browse(agent).post("/search/insights/draft", data=question)
    assert begun.location == again.location
    draft = db.session.get(Translation, int(re.search(r"\d+", begun.location)[0]))
    assert (draft.title, draft.is_published) == ("Refund deadlines", False)

    jobs.run("search.tell")
    assert told() == []
    with transaction():
        articles.publish(db.session.get(Translation, draft.id))
    jobs.run("search.tell")
    jobs.run("search.tell")
    assert told() == [(partner.id, draft.path)]


def told():
    db.session.rollback()
    kind = db.select(Notification).where(Notification.kind == "search_answered")
    return [(row.user_id, row.url) for row in db.session.scalars(kind)]


def test_a_ticket_soon_after_a_search_is_seen_beside_it(shelf, browse, partner, other_partner, agent, worker):
    browse(partner).get("/search/?q=coupons")
    browse(other_partner).get("/search/?q=discounts")
    worker()
    make_ticket(partner, "My coupon does not work")
    jobs.run("search.join")
    page = browse(agent).get("/search/insights?about=ticket").text
    assert ">coupons</a>" in page
    assert ">discounts</a>" not in page
    assert ">discounts</a>" in browse(agent).get("/search/insights?about=most").text


def test_equal_words_find_each_other_in_every_form(shelf, browse, partner, agent):
    client = browse(agent)
    assert fulltext.find(partner, "en", "vouchers").hits == []
    form = {"equal-lang": "en", "equal-words": "voucher, coupon"}
    assert client.post("/search/words/equal", data=form).status_code == 303
    hit = fulltext.find(partner, "en", "vouchers").hits[0]
    assert hit.title == "<mark>Coupons</mark>"
    assert client.post("/search/words/1/remove").status_code == 303
    assert fulltext.find(partner, "en", "vouchers").hits == []


@pytest.mark.parametrize("words", ["coupon", "coupon, promo code", ", ,", "coupon, coupon"])
def test_words_that_cannot_be_equated_are_refused_beside_the_field(shelf, browse, agent, words):
    answer = browse(agent).post("/search/words/equal", data={"equal-lang": "en", "equal-words": words})
    assert answer.status_code == 422
    assert 'id="equal-words-error"' in answer.text


def test_a_best_answer_comes_first_but_only_for_who_may_see_it(shelf, browse, partner, agent, worker):
    with transaction():
        make_article(db.session.merge(shelf), "Escalation", audience="staff", body="Secret ways.")
    worker()
    client = browse(agent)
    best = {
        "best-lang": "en",
        "best-text": "percent discount",
        "best-address": "http://hub.example/kb/en/coupons",
    }
    assert fulltext.find(partner, "en", "discounts percents").hits[0].document.title == "Discounts"
    assert client.post("/search/words/best", data=best).status_code == 303
    assert fulltext.find(partner, "en", "discounts percents").hits[0].document.title == "Coupons"
    assert fulltext.find(partner, "en", "discounts").hits[0].document.title == "Discounts"
    client.post("/search/words/best", data=best | {"best-address": "escalation"})
    assert fulltext.find(agent, "en", "percent discount").hits[0].document.title == "Escalation"
    answer = fulltext.find(partner, "en", "percent discount")
    assert answer.hits
    assert "Escalation" not in str(answer)
    assert client.post("/search/words/best", data=best | {"best-address": "nowhere"}).status_code == 422


def test_results_are_narrowed_to_a_category_on_the_page(shelf, browse, partner, worker):
    with transaction():
        links = make_category("links", names={"en": "Links"})
        make_article(links, "Coupon links", body="Coupons in links.")
    worker()
    client = browse(partner)
    assert 'name="shelf"' not in client.get("/search/?q=coupon").text
    page = client.get("/search/?q=coupon&kind=article").text
    assert '<option value="Money">Money (1)</option>' in page
    page = client.get("/search/?q=coupon&kind=article&shelf=Links").text
    assert "/kb/en/coupon-links" in page
    assert 'href="/kb/en/coupons' not in page
