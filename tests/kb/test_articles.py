"""Writing, publishing, reading, and what readers say."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from hub.core import clock, fulltext, jobs
from hub.core.access import visible
from hub.core.database import db, transaction
from hub.kb import service
from hub.kb.models import Audience, Feedback, Reason, Redirect, Revision, Status, Translation

from .factories import make_article, make_category


@pytest.fixture
def category(app):
    with transaction():
        return make_category()


def get(translation):
    db.session.expire_all()
    return db.session.get(Translation, translation.id)


@pytest.fixture
def article(category):
    with transaction():
        return make_article(category)


def found(user, text, lang="en"):
    return [hit.document.id for hit in fulltext.find(user, lang, text).hits]


def test_a_saved_article_is_found_once_the_worker_has_run(article, partner, worker):
    worker()
    assert found(partner, "minimums") == [article.id]
    assert not get(article).is_stale
    hit = fulltext.find(partner, "en", "minimum").hits[0]
    assert hit.url == f"{article.path}#s-minimum"


def test_a_lost_ring_is_made_up_for_by_the_schedule(article, partner):
    jobs.queue().flush()
    jobs.run("kb.index")
    assert found(partner, "calendar") == [article.id]


def test_an_edit_an_audience_and_the_archive_reach_the_index(article, partner, agent, worker):
    worker()
    with transaction():
        text = service.Text("Payout calendar", "Bananas instead.", slug=article.slug)
        service.revise(get(article), agent, text, seen=1)
    worker()
    assert (found(partner, "bananas"), found(partner, "minimum")) == ([article.id], [])
    with transaction():
        service.file_under(get(article).article, get(article).article.category, Audience.STAFF, [])
    worker()
    assert (found(partner, "bananas"), found(agent, "bananas")) == ([], [article.id])
    with transaction():
        service.archive(get(article))
    worker()
    assert found(agent, "bananas") == []


def test_a_draft_is_found_by_the_team_only(category, partner, agent, worker):
    with transaction():
        draft = make_article(category, "Hidden gem", published=False)
    worker()
    assert (found(partner, "gem"), found(agent, "gem")) == ([], [draft.id])


def test_readers_see_what_their_audience_may(category, partner, agent, app):
    with transaction():
        for audience in Audience:
            make_article(category, f"For {audience}", audience=audience)
    seen = lambda user: len(db.session.scalars(visible(select(Translation), user)).all())  # noqa: E731
    visitor = app.login_manager.anonymous_user()
    assert (seen(visitor), seen(partner), seen(agent)) == (1, 2, 4)


def test_every_save_is_a_revision_and_an_old_one_can_come_back(article, agent):
    with transaction():
        service.revise(
            get(article), agent, service.Text("New", "New text", slug=article.slug), seen=1, why="shorter"
        )
    with transaction():
        first = db.session.scalars(select(Revision).where(Revision.number == 1)).one()
        service.restore(get(article), agent, first)
    assert (get(article).title, get(article).revision) == ("Payout calendar", 3)
    assert [each.why for each in get(article).revisions][1] == "shorter"


def test_two_writers_do_not_overwrite_each_other(article, agent):
    with transaction():
        service.revise(get(article), agent, service.Text("One", "1", slug=article.slug), seen=1)
    with pytest.raises(service.EditedMeanwhile), transaction():
        service.revise(get(article), agent, service.Text("Two", "2", slug=article.slug), seen=1)
    assert get(article).title == "One"


def test_old_addresses_lead_on_and_are_nobody_elses(article, category, agent, client):
    for slug in ("second", "third"):
        with transaction():
            now = get(article)
            service.revise(now, agent, service.Text("T", "x", slug=slug), seen=now.revision)
    for old in ("payout-calendar", "second"):
        assert client.get(f"/kb/en/{old}").headers["Location"] == "/kb/en/third"
    with pytest.raises(service.SlugTaken), transaction():
        make_article(category, "Another", slug="second")
    with transaction():
        assert make_article(category, "Payout calendar").slug == "payout-calendar-2"


def test_going_back_to_an_old_address_leaves_no_circle(article, agent, client):
    for slug in ("second", "payout-calendar"):
        with transaction():
            now = get(article)
            service.revise(now, agent, service.Text("T", "x", slug=slug), seen=now.revision)
    assert client.get("/kb/en/payout-calendar").status_code == 200
    assert db.session.scalar(select(func.count(Redirect.id))) == 1


def test_links_between_articles_open_in_the_readers_language(article, category, agent, browse, partner):
    with transaction():
        service.publish(
            service.translate(get(article).article, agent, "ru", service.Text("Календарь", "Текст"))
        )
        partner.locale = "ru"
        make_article(category, "Linking", body=f"See [this](kb:{article.article.key}#s-minimum).")
    page = browse(partner).get("/kb/en/linking").text
    assert f'href="/kb/open/{article.article.key}#s-minimum"' in page
    answer = browse(partner).get(f"/kb/open/{article.article.key}")
    assert answer.headers["Location"] == "/kb/ru/kalendar"
    with transaction():
        service.translate(get(article).article, agent, "pl", service.Text("Kalendarz", "Szkic"))
        agent.locale = "pl"
    found = browse(agent).get(f"/kb/open/{article.article.key}").headers["Location"]
    assert found == article.path, "a draft is no answer while there is something published"


def test_a_missing_language_is_announced(article, browse, partner):
    with transaction():
        partner.locale = "pl"
    assert "nie ma jeszcze w języku: Polski" in browse(partner).get(article.path).text


def test_what_is_scheduled_appears_when_its_time_has_come(category, client):
    with transaction():
        draft = make_article(category, "Tomorrow", published=False)
        service.publish(draft, clock.now() + timedelta(hours=1))
    jobs.run("kb.publish")
    assert client.get(draft.path).status_code == 404
    with clock.frozen(clock.now() + timedelta(hours=2)):
        jobs.run("kb.publish")
    assert get(draft).status is Status.PUBLISHED
    assert client.get(draft.path).status_code == 200


def test_an_agent_writes_previews_and_publishes(category, browse, agent, client):
    browser = browse(agent)
    fields = {
        "title": "Fresh",
        "body": "**bold** <script>x</script>",
        "category": category.id,
        "audience": "public",
        "owner": "0",
        "locale": "en",
    }
    assert (
        "<strong>bold</strong> &lt;script" in browser.post("/kb/preview", data={"text": fields["body"]}).text
    )
    answer = browser.post("/kb/new", data=fields)
    draft = db.session.scalars(select(Translation)).one()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/kb/{draft.id}/edit")
    assert client.get("/kb/en/fresh").status_code == 404
    browser.post(f"/kb/{draft.id}/publish")
    assert "<script>x" not in client.get("/kb/en/fresh").text
    saved = browser.post(
        f"/kb/{draft.id}/edit", data=fields | {"title": "Fresher", "slug": "fresh", "seen": "1"}
    )
    assert (saved.status_code, get(draft).title) == (303, "Fresher")
    late = browser.post(f"/kb/{draft.id}/edit", data=fields | {"slug": "fresh", "seen": "1"})
    assert late.status_code == 409
    assert "Somebody else has saved" in late.text


def test_a_form_with_mistakes_comes_back_with_what_was_typed(category, browse, agent):
    answer = browse(agent).post(
        "/kb/new",
        data={
            "title": "",
            "body": "Kept text",
            "category": category.id,
            "audience": "public",
            "locale": "en",
        },
    )
    assert answer.status_code == 422
    assert "Kept text" in answer.text
    assert "An article needs a title." in answer.text


def test_a_reader_answers_once_and_the_team_sees_why(article, browse, partner, agent):
    browser = browse(partner)
    browser.post(f"/kb/{article.id}/feedback", data={"helpful": "yes"})
    browser.post(
        f"/kb/{article.id}/feedback",
        data={"helpful": "no", "reason": "outdated", "comment": "Old <b>dates</b>"},
    )
    feedback = db.session.scalars(select(Feedback)).one()
    assert (feedback.is_helpful, feedback.reason) == (False, Reason.OUTDATED)
    assert "Old &lt;b&gt;dates" in browse(agent).get("/kb/feedback").text
    browse(agent).post(f"/kb/feedback/{feedback.id}/handled")
    assert "Old &lt;b&gt;" not in browse(agent).get("/kb/feedback").text
    browse(agent).post(f"/kb/feedback/{feedback.id}/handled", data={"done": "no"})
    assert "Old &lt;b&gt;" in browse(agent).get("/kb/feedback").text


def test_the_queue_begins_with_the_oldest_and_shows_reason_comment_and_share(
    article, browse, partner, other_partner, agent, client
):
    client.post(f"/kb/{article.id}/feedback", data={"helpful": "yes"})
    browse(partner).post(
        f"/kb/{article.id}/feedback", data={"helpful": "no", "reason": "unclear", "comment": "First"}
    )
    browse(other_partner).post(f"/kb/{article.id}/feedback", data={"helpful": "no", "comment": "Second"})
    page = browse(agent).get("/kb/feedback").text
    assert page.index("First") < page.index("Second")
    assert page.count("I do not understand the explanation</p>") == 1
    assert "Pat Partner" in page
    assert "helped 1 of 3 readers" in page
    assert "Second" not in browse(agent).get("/kb/feedback?reason=unclear").text
    assert "First" not in browse(agent).get("/kb/feedback?lang=pl").text
    every = browse(agent).get("/kb/feedback?show=all").text
    assert every.index("Second") < every.index("First") < every.index("A visitor")


def test_a_comment_that_is_too_long_is_not_lost(article, browse, partner):
    answer = browse(partner).post(
        f"/kb/{article.id}/feedback", data={"helpful": "no", "comment": "Long " * 500}
    )
    assert (answer.status_code, "Long Long</textarea>" in answer.text) == (422, True)
    assert db.session.scalar(select(func.count(Feedback.id))) == 0


def test_states_are_counted_by_the_database(app):
    """Whoever counts from what they have read misses what was counted meanwhile; the index would take it for known."""
    with transaction():
        article = make_article(make_category())
    with transaction() as session:
        here = session.get_one(Translation, article.id)
        before = here.touched
        session.execute(update(Translation.__table__).values(touched=before + 5))
        service.mark_stale(here)
    assert db.session.scalar(select(Translation.touched)) == before + 6
