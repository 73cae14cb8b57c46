"""The search page, the list while typing, and the API."""

import re

import pytest

from hub.accounts import tokens
from hub.core import fulltext, jobs
from hub.core.database import db, transaction
from hub.kb import service as articles
from hub.kb.models import Audience
from hub.search.commands import search
from tests.kb.factories import make_article, make_category


@pytest.fixture
def library(cast, worker):
    """A few articles, indexed."""
    with transaction():
        shelf = make_category()
        make_article(
            shelf, "Payout calendar", body="Money goes out.\n\n## Minimum amount\n\nFifty euros at least."
        )
        make_article(shelf, "Partner tricks <b>", body="Tricks for partners.", audience=Audience.PARTNERS)
        make_article(shelf, "Zebra escalation", body="Zebra numbers.", audience=Audience.STAFF)
        make_article(shelf, "Календарь выплат", lang="ru", body="Деньги уходят пятого числа.")
    worker()


def test_the_page_finds_marks_and_leads_to_the_section(library, client):
    page = client.get("/search/?q=minimal+amounts").text
    assert '<a href="/kb/en/payout-calendar#s-minimum-amount" data-hit=' in page
    assert "1 result." in page


def test_inflected_russian_finds(library, browse, partner):
    with transaction():
        partner.locale = "ru"
    page = browse(partner).get("/search/?q=календарями+выплатам").text
    assert "<mark>Календарь</mark> <mark>выплат</mark>" in page


def test_titles_are_text(library, browse, partner):
    assert "tricks</mark> &lt;b&gt;" in browse(partner).get("/search/?q=tricks").text.replace(
        "Tricks", "tricks"
    )


@pytest.mark.parametrize(
    "address", ["/search/?q={}", "/search/suggest?q={}", "/api/v1/search?q={}&instant=1"]
)
@pytest.mark.parametrize("text", ["zebra", "zebr", "zebta", "escalation numbers"])
def test_staff_articles_leave_no_trace_for_partners(library, browse, partner, agent, address, text):
    seen = browse(partner).get(address.format(text)).text.replace(text, "").lower()
    assert "zebra" not in seen
    assert "zebra" in browse(agent).get(address.format(text)).text.lower()


@pytest.mark.parametrize("verb", ["narrow", "archive"])
def test_what_is_hidden_is_gone_before_the_worker_comes(library, client, browse, agent, verb):
    with transaction():
        found = fulltext.find(agent, "en", "payout").hits[0].document.id
        text = db.session.get(articles.Translation, found)
        if verb == "narrow":
            articles.file_under(text.article, text.article.category, Audience.STAFF, [])
        else:
            articles.archive(text)
    for address in ("/search/?q=payouts", "/search/?q=payouts&kind=material", "/search/suggest?q=payou"):
        page = client.get(address).text
        assert "Payout" not in page, address
        assert "1 result" not in page, address
    assert len(fulltext.find(agent, "en", "payout").hits) == (verb == "narrow")


def test_nothing_found_offers_support_with_the_words(library, browse, partner, agent):
    page = browse(partner).get("/search/?q=qwrtzxcv").text
    assert "Nothing fits these words" in page
    assert "/tickets/new?subject=qwrtzxcv" in page
    assert "/tickets/new?" not in browse(agent).get("/search/?q=qwrtzxcv").text


def test_another_language_is_announced(library, client):
    page = client.get("/search/?q=календарь").text
    assert "These results are in Русский" in page
    assert ">Русский</" in client.get("/search/suggest?q=календарь").text
    assert ">English</" not in client.get("/search/suggest?q=payout").text


def test_a_question_shared_by_two_languages_is_answered_in_its_own_unless_told_otherwise(
    cast, worker, browse, partner
):
    """A Ukrainian question with a Russian word in it, an English one of words that Polish texts hold here and there."""
    with transaction():
        shelf, partner.locale = make_category(), "ru"
        make_article(shelf, "Купон и комиссия", lang="ru", body="Оплата купона.")
        make_article(shelf, "Оплата купона", lang="uk", body="Як отримати виплату за купон.")
        for number in range(6):
            make_article(shelf, f"Change the password {number}", body="How to change a password.")
            make_article(
                shelf, f"Zmiana hasła {number}", lang="pl", body="change password" if not number else "Hasło."
            )
    worker()
    page = browse(partner).get("/search/?q=отримати+виплату+за+купон").text
    assert "/kb/uk/" in page
    assert 'href="/search/?q=%D0%BE' in page
    assert "lang=ru" in page
    assert "/kb/ru/" in browse(partner).get("/search/?q=отримати+виплату+за+купон&lang=ru").text
    assert fulltext.find(partner, "pl", "change password").lang == "en"
    assert fulltext.find(partner, "pl", "change password", insist=True).lang == "pl"
    assert fulltext.find(partner, "pl", "zmiana hasła").lang == "pl"


def test_the_wrong_keyboard_is_announced(library, browse, partner):
    with transaction():
        partner.locale = "ru"
    assert "мы искали «выплаты»" in browse(partner).get("/search/?q=dsgkfns").text


def test_a_typo_says_what_was_searched_for(library, client):
    assert "Searched also for <mark>calendar</mark>" in client.get("/search/?q=calxndar").text


def test_an_empty_question_shows_the_field(library, client):
    assert 'type="search"' in client.get("/search/").text
    assert client.get("/search/suggest").text.strip() == ""


def test_suggestions_are_a_listbox(library, client):
    html = client.get("/search/suggest?q=payo").text
    assert 'role="listbox"' in html
    assert html.count('role="option"') == 1
    assert "<mark>Payout</mark> calendar" in html


def test_the_api_gives_the_ranking_of_the_page(library, app, browse, partner):
    with transaction():
        _row, secret = tokens.create(partner, "reader")
    headers = {"Authorization": f"Bearer {secret}"}
    answer = app.test_client().get("/api/v1/search?q=payouts&lang=en", headers=headers).json
    assert [(hit["kind"], hit["title"], hit["url"]) for hit in answer["hits"]] == [
        ("article", "Payout calendar", "/kb/en/payout-calendar")
    ]
    assert answer["hits"][0].keys() == {"id", "external_id", "kind", "title", "url", "fragment"}
    assert app.test_client().get("/api/v1/search?q=payouts").status_code == 401
    odd = app.test_client().get("/api/v1/search?q=x&limit=9999&kind=nothing", headers=headers).json
    assert odd == {"hits": [], "total": 0, "lang": "en", "is_complete": True}
    for text in ("calendar", "calxndar money", "dsgkfns", "partner"):
        page = browse(partner).get("/search/", query_string={"q": text, "lang": "en"}).text
        answer = app.test_client().get(
            "/api/v1/search", query_string={"q": text, "lang": "en"}, headers=headers
        )
        assert re.findall(r'<h2><a href="([^"]+)"', page) == [hit["url"] for hit in answer.json["hits"]] != []


def test_the_api_narrows_down_to_a_category(library, app, partner):
    with transaction():
        _row, secret = tokens.create(partner, "reader")
    ask = {"q": "payouts", "lang": "en", "kind": "article"}
    for shelf, total in (("Money", 1), ("Links", 0)):
        answer = app.test_client().get(
            "/api/v1/search",
            query_string=ask | {"shelf": shelf},
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert (len(answer.json["hits"]), answer.json["total"]) == (total, total)


def test_pages_follow_each_other_without_repeats(cast, worker, client):
    with transaction():
        shelf = make_category()
        for number in range(25):
            make_article(shelf, f"Coupon {number}", body="x")
    worker()
    titles = []
    for number in (1, 2, 3):
        titles += [
            line
            for line in client.get(f"/search/?q=coupon&page={number}").text.split("<h2>")[1:]
            if "/kb/" in line
        ]
    links = [title.split('href="')[1].split('"')[0] for title in titles]
    assert len(links) == len(set(links)) == 25


def test_a_rebuild_holds_what_the_tables_hold(library, app, agent, monkeypatch):
    fulltext.engine().rebuild("en", [], lambda _: None)
    assert fulltext.find(agent, "en", "zebra").hits == []
    result = app.test_cli_runner().invoke(search, ["rebuild"])
    assert result.exit_code == 0, result.output
    assert "en: done" in result.output
    assert len(fulltext.find(agent, "en", "zebra").hits) == 1


def test_a_missing_index_is_said_everywhere_and_built_by_the_worker(cast, worker, client, partner):
    with transaction():
        make_article(make_category(), "Payout calendar")
    jobs.queue().flush()
    assert not fulltext.find(partner, "en", "payout").is_complete
    assert "is being built" in client.get("/search/suggest?q=payout").text
    with transaction():
        _row, secret = tokens.create(partner, "reader")
    headers = {"Authorization": f"Bearer {secret}"}
    assert not client.get("/api/v1/search?q=payout", headers=headers).json["is_complete"]
    worker()
    assert len(fulltext.find(partner, "en", "payout").hits) == 1


def test_saving_an_article_rings_and_one_round_of_the_worker_makes_it_findable(cast, worker, partner, agent):
    with transaction():
        saved = make_article(make_category(), "Payout calendar")
    worker()
    assert jobs.queue().pending_count() == 0
    with transaction():
        text = articles.Text("Payout calendar", "A walrus pays.")
        again = db.session.merge(saved)
        articles.revise(again, agent, text, seen=again.revision)
    assert jobs.queue().pending_count() == 1
    worker()
    assert len(fulltext.find(partner, "en", "walrus").hits) == 1


def test_archived_articles_are_not_rebuilt_into_the_index(library, agent):
    with transaction():
        found = fulltext.find(agent, "en", "zebra").hits[0].document.id
        articles.archive(articles.db.session.get(articles.Translation, found))
    fulltext.rebuild("en")
    assert fulltext.find(agent, "en", "zebra").hits == []
