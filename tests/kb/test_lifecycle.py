"""From draft to archive by the clock, and the owner's yearly question."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.core import clock, fulltext, jobs
from hub.core.database import db, transaction
from hub.kb import service
from hub.kb.models import Article, Status, Translation
from hub.notifications.models import Notification

from .factories import make_article, make_category

NOON = datetime(2026, 11, 2, 11, tzinfo=UTC)


@pytest.fixture
def article(app):
    with transaction():
        return make_article(make_category())


@pytest.fixture
def scheduled(app, agent):
    """Scheduled for an hour after noon, owned by the agent."""
    with clock.frozen(NOON), transaction():
        draft = make_article(make_category(), "Tomorrow", published=False)
        draft.article.owner_id = agent.id
        service.publish(draft, NOON + timedelta(hours=1))
        return draft


def status(translation):
    db.session.expire_all()
    return db.session.get(Translation, translation.id).status


def told(user):
    return list(
        db.session.scalars(
            select(Notification.kind).where(Notification.user_id == user.id).order_by(Notification.id)
        )
    )


def test_the_worker_publishes_at_the_minute_and_search_finds_it(scheduled, client, partner, agent, worker):
    with clock.frozen(NOON + timedelta(minutes=59)):
        jobs.run("kb.publish")
        assert client.get(scheduled.path).status_code == 404
    with clock.frozen(NOON + timedelta(minutes=60)):
        jobs.run("kb.publish")
        jobs.run("kb.publish")
        worker()
        assert client.get(scheduled.path).status_code == 200
        assert [hit.document.id for hit in fulltext.find(partner, "en", "tomorrow").hits] == [scheduled.id]
    assert told(agent) == ["article.published"]


def test_what_was_taken_back_does_not_appear(scheduled, browse, agent):
    assert browse(agent).post(f"/kb/{scheduled.id}/redraft").status_code == 303
    with clock.frozen(NOON + timedelta(days=1)):
        jobs.run("kb.publish")
    assert status(scheduled) is Status.DRAFT


def test_the_archived_come_back_as_drafts_and_the_published_do_not(article, browse, agent):
    browser = browse(agent)
    assert browser.post(f"/kb/{article.id}/redraft").status_code == 409
    browser.post(f"/kb/{article.id}/archive")
    browser.post(f"/kb/{article.id}/redraft")
    assert status(article) is Status.DRAFT


def test_what_readers_see_is_not_taken_away_by_a_later_hour(article, browse, agent):
    late = browse(agent).post(f"/kb/{article.id}/publish", data={"at": "2099-01-15T09:00"})
    assert (late.status_code, "Readers see this article already" in late.text) == (409, True)
    assert status(article) is Status.PUBLISHED


def test_an_hour_is_the_writers_own(article, browse, agent):
    with transaction():
        agent.time_zone = "Europe/Kyiv"
        draft = make_article(article.article.category, "Kyiv", published=False)
    browse(agent).post(f"/kb/{draft.id}/publish", data={"at": "2099-01-15T09:00"})
    db.session.expire_all()
    assert db.session.get(Translation, draft.id).publish_at == datetime(2099, 1, 15, 7, tzinfo=UTC)


def test_the_owner_is_asked_once_and_again_for_the_next_date(article, agent, manager, browse):
    with transaction():
        db.session.get(Article, article.article_id).owner_id = agent.id
        db.session.get(Article, article.article_id).review_due = date(2026, 11, 2)
    with clock.frozen(NOON - timedelta(days=1)):
        jobs.run("kb.review")
        assert told(agent) == []
    with clock.frozen(NOON):
        jobs.run("kb.review")
        jobs.run("kb.review")
        assert told(agent) == ["article.review"]
        assert told(manager) == []
        assert "To be reviewed by" in browse(agent).get(f"/kb/{article.id}/edit").text
        assert "review due" in browse(agent).get("/kb/manage?show=review").text
        browse(agent).post(f"/kb/{article.id}/reviewed")
        assert "Payout calendar" not in browse(agent).get("/kb/manage?show=review").text
    with clock.frozen(NOON + timedelta(days=200)):
        jobs.run("kb.review")
        assert told(agent) == ["article.review"] * 2


def test_nobodys_article_is_asked_about_with_all_writers_and_a_draft_with_none(
    article, agent, manager, partner
):
    with transaction():
        make_article(article.article.category, "Draft", published=False).article.review_due = date(2020, 1, 1)
        db.session.get(Article, article.article_id).review_due = date(2020, 1, 1)
    jobs.run("kb.review")
    assert [told(user) for user in (agent, manager, partner)] == [["article.review"]] * 2 + [[]]
