"""The monthly update collects what is new, a person chooses and orders it, each reader gets their own."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hub.core import clock
from hub.core.database import db, transaction
from hub.earnings import payouts
from hub.kb.models import Audience
from hub.materials import taking
from hub.newsletters import checks, monthly, starting
from hub.newsletters.models import Newsletter, Status, Topic
from tests.earnings.factories import sell
from tests.kb.factories import make_article, make_category
from tests.materials.factories import make_asset
from tests.training.factories import make_webinar

from .factories import make_newsletter
from .test_sending import _empty_outbox, mails, parts  # noqa: F401 – a fixture

NOW = datetime(2026, 12, 3, 12, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def _december(app):
    with clock.frozen(NOW):
        yield


@pytest.fixture
def news(cast, manager):
    """Something of every kind, new and old."""
    with transaction():
        shelf = make_category()
        with clock.frozen(NOW - timedelta(days=90)):
            make_article(shelf, "Old article")
            make_asset(manager, title="Old banner")
        make_article(shelf, "New article")
        make_article(shelf, "Nowy tekst", lang="pl")
        make_article(shelf, "Staff only", audience=Audience.STAFF)
        make_article(shelf, "A draft", published=False)
        make_article(shelf, "Their story", tags=["success-story"])
        make_asset(manager, title="Polish banner", locale="pl")
        make_asset(manager, title="Any banner")
        make_webinar(title="Ask us", language="en")
        make_webinar(title="Far away", in_hours=24 * 90)
        make_webinar(title="Recorded", in_hours=-48, recording_url="https://v.example/1", language="en")


def keys(groups=None):
    groups = groups or monthly.collect(monthly.since_last())
    return {group.kind.value: [item.title for item in group.items] for group in groups}


def test_it_collects_what_is_new_and_nothing_that_partners_may_not_see(news):
    assert keys() == {
        "webinar": ["Ask us"],
        "banner": ["Any banner", "Polish banner"],
        "article": ["Nowy tekst", "New article"],
        "recording": ["Recorded"],
        "story": ["Their story"],
    }


def test_it_looks_back_to_the_last_update(manager, cast, news):
    with transaction():
        make_newsletter(manager, topic=Topic.REPORT, status=Status.SENT, started_at=NOW - timedelta(hours=1))
        make_newsletter(manager, topic=Topic.MATERIALS, status=Status.SENT, started_at=NOW)
    assert monthly.since_last() == NOW - timedelta(hours=1)
    with transaction():
        make_newsletter(manager, topic=Topic.REPORT, status=Status.SENT, started_at=NOW)
    assert set(keys()) == {"webinar"}, "what comes is told whenever it was announced"


def test_the_draft_has_what_was_chosen_in_its_order_and_language(manager, news, browse):
    browser = browse(manager)
    page = browser.get("/newsletters/monthly").get_data(as_text=True)
    assert "New article" in page
    assert "November 2026 is not closed" not in page
    by_title = {
        item.title: item.block.key for group in monthly.collect(monthly.since_last()) for item in group.items
    }
    chosen = [by_title[each] for each in ("Their story", "New article", "Polish banner", "Any banner")]
    answer = browser.post(
        "/newsletters/monthly", data={"month": "2026-11", "blocks": [*chosen, "article:forged", "nonsense"]}
    )
    draft = db.session.get(Newsletter, int(answer.headers["Location"].split("/")[2]))
    assert (draft.status, draft.topic, draft.month, draft.skips_seen) == (
        Status.DRAFT,
        Topic.REPORT,
        NOVEMBER,
        True,
    )
    english, polish, russian = (draft.content(each).body for each in ("en", "pl", "ru"))
    order = [english.index(f"::: {key.replace(':', ' ')}") for key in (chosen[0], chosen[1], chosen[3])]
    assert order == sorted(order)
    assert "## How others do it\n\n::: story" in english
    assert chosen[2].partition(":")[2] not in english, "a Polish banner is for readers of Polish"
    assert f"::: banner {chosen[2].partition(':')[2]}" in polish
    assert "## New to read" not in polish
    assert "story" not in polish
    assert "Здравствуйте" in russian
    assert "forged" not in english
    assert [each.text for each in checks.review(draft) if each.blocks] == []


def test_each_reader_gets_their_own_and_the_preview_says_what_is_left_out(
    manager, cast, news, browse, worker
):
    with transaction():
        sell(cast.acme, 10_000, datetime(2026, 11, 10, tzinfo=UTC))
        over = make_asset(manager, title="Winter sale", valid_until=NOW + timedelta(days=20))
        over.released_at = NOW - timedelta(days=90)
        taking.record_downloads([(over.current.id, over.id)], cast.partner)
        titles = {
            item.title: item.block.key
            for group in monthly.collect(monthly.since_last())
            for item in group.items
        }
        draft = monthly.assemble(
            manager, NOVEMBER, monthly.since_last(), [titles["New article"], titles["Winter sale"]]
        )
        draft.tracks_opens = True
    browser, head = browse(manager), f"/newsletters/{draft.id}/preview/en/head?reader="
    with transaction():
        payouts.close_month(NOVEMBER)
    assert "Earnings of the month" not in browser.get(f"{head}{cast.partner.id}").json["apart"]
    assert "Earnings of the month" in browser.get(f"{head}{cast.other_partner.id}").json["apart"]
    with transaction():
        starting.start(db.session.get(Newsletter, draft.id))
    worker()
    own, other = (parts(mails()[f"{who}@example.org"])[0] for who in ("partner", "other"))
    assert "Earned in November 2026: €15.00" in own
    assert "Earned" not in other
    assert "Ends soon: Winter sale" in own
    assert "Winter sale" not in other, "who does not use it need not hear"
    assert "New article" in own
    assert "New article" in other
    address = browser.post(f"/newsletters/{draft.id}/again").headers["Location"]
    copy = db.session.get(Newsletter, int(address.split("/")[2]))
    with clock.frozen(NOW + timedelta(days=40)):
        assert (copy.figures_month, copy.news_since) == (NOVEMBER, draft.news_since)
    assert not copy.skips_seen, "who did not read the first has not seen its cards"


def test_an_open_month_is_announced_when_writing_and_refused_when_sending(manager, cast, browse):
    with transaction():
        sell(cast.acme, 10_000, datetime(2026, 11, 10, tzinfo=UTC))
    page = browse(manager).get("/newsletters/monthly").get_data(as_text=True)
    assert "November 2026 is not closed for Acme Media" in page
    with transaction():
        draft = monthly.assemble(manager, NOVEMBER, monthly.since_last(), [])
    assert browse(manager).post(f"/newsletters/{draft.id}/start").status_code == 409


@pytest.mark.parametrize(
    "query", ["month=2027-05", "month=x&since=y", "since=0001-01-01", "since=9999-12-31"]
)
def test_odd_addresses_are_answered(manager, browse, query):
    assert browse(manager).get(f"/newsletters/monthly?{query}").status_code in (200, 422)
