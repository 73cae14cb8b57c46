"""A translation knows what it was made from, and what has changed since is shown word by word."""

import pytest

from hub.core.database import db, transaction
from hub.kb import comparing, service
from hub.kb.models import Translation
from tests.ending import ending

from .factories import make_article, make_category


@pytest.fixture
def source(app):
    with transaction():
        return make_article(make_category(), body="Payouts leave on the 5th.\n\nThe minimum is 50 euros.\n")


@pytest.fixture
def translated(source):
    with transaction():
        text = service.Text("Календарь выплат", "Выплаты уходят 5-го.")
        found = service.translate(get(source).article, None, "ru", text)
        service.publish(found)
        return found


def get(translation):
    db.session.expire_all()
    return db.session.get(Translation, translation.id)


def save(browser, translation, **values):
    now = get(translation)
    fields = {
        "title": now.title,
        "slug": now.slug,
        "body": now.body,
        "category": now.article.category_id,
        "audience": now.article.audience,
        "owner": "0",
        "seen": now.revision,
        "source_seen": now.article.source.revision,
    }
    return browser.post(f"/kb/{translation.id}/edit", data=fields | values)


def test_a_changed_source_outdates_its_translations_and_shows_what_changed(source, translated, browse, agent):
    browser = browse(agent)
    assert not get(translated).is_outdated
    save(browser, source, body="Payouts leave on the 7th.\n\nThe minimum is 50 euros.")
    assert get(translated).is_outdated
    assert "See what changed" in browser.get(f"/kb/{translated.id}/edit").text
    page = browser.get(f"/kb/{translated.id}/compare").text
    assert "<del>5th</del>" in page
    assert "<ins>7th</ins>" in page
    assert "Выплаты уходят 5-го." in page
    # Readers still find it: old news in one's own language is better than none.
    assert browse(agent).get(translated.path).status_code == 200


def test_a_translation_catches_up_with_the_revision_its_writer_saw(source, translated, browse, agent):
    browser = browse(agent)
    save(browser, source, body="Second.")
    save(browser, source, body="Third.")
    save(browser, translated, body="Второе.", is_current="y", source_seen="2")
    assert get(translated).is_outdated
    assert get(translated).source_revision == 2
    browser.post(f"/kb/{translated.id}/current", data={"number": "3"})
    assert not get(translated).is_outdated


def test_only_a_change_of_the_source_can_be_small(source, translated, browse, agent):
    with transaction():
        polish = service.translate(get(source).article, None, "pl", service.Text("Wypłaty", "Piątego."))
    browser = browse(agent)
    save(browser, source, body="New.")
    save(browser, translated, body="Новое.", is_minor="y")
    assert (get(translated).source_revision, get(polish).source_revision) == (1, 1)


def test_a_small_change_outdates_nothing_that_was_up_to_date(source, translated, browse, agent):
    browser = browse(agent)
    save(browser, source, body="Payouts leave on the 5th!", is_minor="y")
    assert not get(translated).is_outdated
    save(browser, source, body="Payouts leave on the 6th.")
    save(browser, source, body="Payouts leave on the 6th!", is_minor="y")
    assert get(translated).is_outdated


def test_the_source_is_the_language_an_article_was_first_written_in(app, browse, agent):
    with transaction():
        polish = make_article(make_category(), "Wypłaty", lang="pl")
        english = service.translate(polish.article, None, "en", service.Text("Payouts", "x"))
    save(browse(agent), polish, body="Nowy tekst")
    assert get(english).is_outdated
    assert not get(polish).is_outdated


def test_the_board_shows_every_gap(source, translated, browse, agent):
    browser = browse(agent)
    with transaction():
        whole = make_article(get(source).article.category, "Whole")
        for lang in ("ru", "uk", "pl"):
            service.publish(service.translate(whole.article, None, lang, service.Text(f"Whole {lang}", "x")))
    page = browser.get("/kb/languages").text
    assert f"/kb/new?of={source.id}&amp;lang=uk" in page
    assert "Whole" in page
    assert "1 missing" in page
    gaps = browser.get("/kb/languages?show=gaps").text
    assert "Payout calendar" in gaps
    assert "Whole" not in gaps
    save(browser, whole, body="Changed.")
    assert "Whole" in browser.get("/kb/languages?show=gaps").text


def test_a_new_translation_leaves_what_belongs_to_the_article_alone(source, browse, agent):
    form = browse(agent).get(f"/kb/new?of={source.id}&lang=pl").text
    assert 'name="audience"' not in form
    data = {"title": "Kalendarz", "body": "Tekst", "locale": "pl", "source_seen": "1"}
    assert browse(agent).post(f"/kb/new?of={source.id}", data=data).status_code == 303
    assert {each.locale for each in get(source).article.translations} == {"en", "pl"}


def test_revisions_are_compared_word_by_word(source, browse, agent):
    browser = browse(agent)
    save(browser, source, title="Payout dates", body="Payouts leave on the 7th.", why="a new day")
    save(browser, source, body="Payouts <b>arrive</b> on the 7th.")
    page = browser.get(f"/kb/{source.id}/revisions?number=3&against=1").text
    assert "<del>calendar</del><ins>dates</ins>" in page
    assert "<ins>&lt;b&gt;arrive&lt;/b&gt;</ins>" in page
    assert "a new day" in page
    assert browser.get(f"/kb/{source.id}/revisions?number=99&against=x").status_code == 200


@pytest.mark.once
def test_a_comparison_says_what_went_and_what_came_and_leaves_out_the_rest():
    rows = comparing.rows("same\n" * 20 + "one two three", "same\n" * 20 + "one 2 three")
    assert [row.skipped for row in rows] == [18, 0, 0]
    assert [(piece.kind, piece.text) for piece in rows[-1].new] == [
        ("same", "one "),
        ("new", "2"),
        ("same", " three"),
    ]
    joined = comparing.words("go out on", "leave us on")
    assert [(piece.kind, piece.text) for piece in joined] == [
        ("gone", "go out"),
        ("new", "leave us"),
        ("same", " on"),
    ]


@pytest.mark.once
def test_texts_made_to_be_hard_to_compare_take_no_minutes():
    with ending():
        comparing.rows("a\n" * 100_000, "a\nb\n" * 50_000)
        comparing.rows("a b " * 50_000, "b a " * 50_000)
