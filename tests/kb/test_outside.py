"""What the world hears of the knowledge base: public articles, and not a word of any other."""

import re
from xml.etree import ElementTree as ET

import pytest

from hub.core.database import transaction
from hub.kb import service
from hub.kb.models import Audience

from . import factories

ATOM = "{http://www.w3.org/2005/Atom}"
BASE = "http://127.0.0.1:8000"
#: What a visitor, or a program without a name, can ask for.
ASKED = (
    "/sitemap.xml", "/kb/", "/kb/en/", "/kb/ru/", "/kb/en/feed.atom", "/kb/ru/feed.atom", "/search/?q=Marmalade",
    "/search/suggest?q=Marmalade", "/kb/category/money", "/robots.txt",
)  # fmt: skip


@pytest.fixture
def public(app):
    """A public article in English and Russian."""
    with transaction():
        english = factories.make_article(
            factories.make_category(), "Payout & calendar", summary="When <we> pay"
        )
        russian = service.translate(english.article, None, "ru", service.Text("Календарь выплат", "Пятого."))
        service.publish(russian)
    return english, russian


def test_an_article_names_its_own_address_its_languages_and_its_feed(public, client):
    page = client.get("/kb/en/payout-calendar").text
    assert f'<link rel="canonical" href="{BASE}/kb/en/payout-calendar">' in page
    assert dict(re.findall(r'rel="alternate" hreflang="([\w-]+)" href="([^"]+)"', page)) == {
        "en": f"{BASE}/kb/en/payout-calendar",
        "ru": f"{BASE}/kb/ru/kalendar-vyplat",
        "x-default": f"{BASE}/kb/en/payout-calendar",
    }
    assert (
        f'type="application/atom+xml" title="Changes in the knowledge base" href="{BASE}/kb/en/feed.atom"'
        in page
    )
    assert '<meta property="og:title" content="Payout &amp; calendar">' in page
    assert '<meta property="og:locale:alternate" content="ru_RU">' in page
    assert '<meta name="description" content="When &lt;we&gt; pay">' in page


def test_a_program_that_names_no_language_gets_the_page_in_the_articles(public, client):
    assert '<html lang="ru"' in client.get("/kb/ru/kalendar-vyplat").text
    assert '<html lang="pl"' in client.get("/kb/ru/kalendar-vyplat", headers={"Accept-Language": "pl"}).text
    assert '<html lang="ru"' in client.get("/kb/ru/", headers={"Accept-Language": "pl"}).text


def test_the_sitemap_has_every_public_page_with_its_languages(public, client):
    root = ET.fromstring(client.get("/sitemap.xml").data)
    links = {
        entry[0].text: {link.get("hreflang"): link.get("href") for link in entry if link.get("hreflang")}
        for entry in root
    }
    languages = {
        "en": f"{BASE}/kb/en/payout-calendar",
        "ru": f"{BASE}/kb/ru/kalendar-vyplat",
        "x-default": f"{BASE}/kb/en/payout-calendar",
    }
    assert links == {f"{BASE}/kb/": {}, languages["en"]: languages, languages["ru"]: languages}
    assert f"Sitemap: {BASE}/sitemap.xml" in client.get("/robots.txt").text


def test_the_feed_is_atom_keeps_ids_when_addresses_change_and_answers_304(public, client):
    def feed(**headers):
        return client.get("/kb/en/feed.atom", headers=headers)

    first = feed()
    assert first.mimetype == "application/atom+xml"
    root = ET.fromstring(first.data)
    assert root.findtext(f"{ATOM}title") == "Knowledge base · Nordbill Partner Programme"
    (entry,) = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Payout & calendar"
    assert entry.find(f"{ATOM}link").get("href") == f"{BASE}/kb/en/payout-calendar"
    for parent in (root, entry):
        assert all(parent.findtext(ATOM + name) for name in ("id", "title", "updated"))
    assert feed(**{"If-None-Match": first.headers["ETag"]}).status_code == 304
    with transaction():
        text = service.Text("Moved \x0b", "New", slug="moved")
        service.revise(public[0], None, text, seen=1)
    again = feed(**{"If-None-Match": first.headers["ETag"]})
    changed = ET.fromstring(again.data).find(f"{ATOM}entry")
    assert changed.find(f"{ATOM}link").get("href").endswith("/kb/en/moved")
    assert changed.findtext(f"{ATOM}id") == entry.findtext(f"{ATOM}id")
    assert changed.findtext(f"{ATOM}updated") >= entry.findtext(f"{ATOM}updated")


def test_nothing_that_is_not_public_is_told_to_anyone_outside(public, client, worker):
    with transaction():
        shelf = public[0].article.category
        hidden = [
            factories.make_article(shelf, f"Marmalade {audience}", audience=audience)
            for audience in (Audience.PARTNERS, Audience.STAFF)
        ]
        chosen = factories.make_article(shelf, "Marmalade chosen", published=False)
        service.file_under(chosen.article, shelf, Audience.CHOSEN, ["tag:video"])
        service.publish(chosen)
        archived = factories.make_article(shelf, "Marmalade archived")
        service.archive(archived)
        hidden += [chosen, archived, factories.make_article(shelf, "Marmalade draft", published=False)]
        shown = factories.make_article(shelf, "Marmalade for everyone")
    worker()
    for path in ASKED:
        answer = client.get(path)
        assert answer.status_code == 200
        for each in hidden:
            assert each.title not in answer.text, path
            assert each.slug not in answer.text, path
        if "feed" not in path and path != "/robots.txt":
            assert shown.slug in answer.text or "/kb/ru" in path, path
