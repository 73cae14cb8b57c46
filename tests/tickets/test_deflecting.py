"""Articles beside the form of a new ticket, and what is counted as solved."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.kb.models import Audience
from hub.tickets import deflecting
from hub.tickets.models_deflection import Deflection
from tests.kb.factories import make_article, make_category

from .factories import make_ticket


@pytest.fixture
def article(cast, worker):
    """Indexed, beside a Russian one and one that only the team may read."""
    with transaction():
        shelf = make_category()
        found = make_article(shelf, "Payout calendar", audience=Audience.PARTNERS)
        make_article(shelf, "Календарь выплат", lang="ru", body="Деньги уходят пятого числа.")
        make_article(shelf, "Payout zebra", audience=Audience.STAFF)
    worker()
    return found


def counts():
    db.session.rollback()
    total = deflecting.tally(clock.now() - timedelta(days=90))
    return total.held, total.asked, total.waiting


def test_fitting_articles_appear_in_the_readers_language_and_no_others(article, browse, partner):
    client = browse(partner)
    fragment = client.get("/tickets/fitting?subject=when are payout").text
    assert f'href="{article.path}' in fragment
    assert "1 article may answer" in fragment
    assert "zebra" not in client.get("/tickets/fitting?subject=payout zebra").text
    assert client.get("/tickets/fitting?subject=pay").text.strip() == ""
    assert f'href="{article.path}' in client.get("/tickets/new?subject=payouts").text
    with transaction():
        db.session.merge(partner).locale = "ru"
    fragment = client.get("/tickets/fitting?subject=когда выплаты").text
    assert 'lang="ru"' in fragment
    assert "/kb/ru/kalendar-vyplat" in fragment


def test_solved_counts_only_when_no_ticket_follows_within_a_week(
    article, browse, partner, other_partner, agent
):
    day = timedelta(days=1)
    for who in (partner, other_partner):
        for _twice in range(2):
            assert browse(who).post("/tickets/solved", data={"article": article.id}).location == "/tickets"
    jobs.run("tickets.solved")
    assert counts() == (0, 0, 2)
    with clock.frozen(clock.now() + 6 * day):
        make_ticket(other_partner)
        jobs.run("tickets.solved")
        assert counts() == (0, 1, 1)
    with clock.frozen(clock.now() + 8 * day):
        make_ticket(partner)
        jobs.run("tickets.solved")
        assert counts() == (1, 1, 0)
        page = browse(agent).get("/search/insights/solved").text
    assert f'<a href="{article.path}">Payout calendar</a>' in page
    assert db.session.scalars(select(Deflection.user_id)).all() == [None, None]


def test_what_one_may_not_read_solves_nothing(article, browse, partner):
    hidden = article.id + 2
    assert browse(partner).post("/tickets/solved", data={"article": hidden}).status_code == 404
    assert browse(partner).post("/tickets/solved", data={}).status_code == 400
    assert counts() == (0, 0, 0)
