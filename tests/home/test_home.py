"""Where each day begins, and what it shows first."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.core import clock, i18n
from hub.core.database import transaction
from hub.earnings.service import Comparison
from hub.home import programme, service
from hub.home.curve import draw
from hub.kb.models import Audience
from hub.partners.links import referral_link
from hub.tickets import inbox
from hub.tickets import service as tickets
from tests.earnings.factories import sell
from tests.factories import make_member
from tests.kb.factories import make_article, make_category
from tests.materials.factories import make_asset
from tests.tickets.factories import make_ticket
from tests.training.factories import make_registration, make_webinar

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def november(cast):
    """Acme sold once in October by now and twice in November; Other once, in złoty."""
    with transaction():
        sell(cast.acme, 20_000, datetime(2026, 10, 10, 12, tzinfo=UTC))
        sell(cast.acme, 90_000, datetime(2026, 10, 28, 12, tzinfo=UTC))
        sell(cast.acme, 10_000, datetime(2026, 11, 5, 12, tzinfo=UTC))
        sell(cast.acme, 30_000, datetime(2026, 11, 19, 12, tzinfo=UTC))
        sell(cast.other_org, 50_000, datetime(2026, 11, 7, 12, tzinfo=UTC), currency="PLN")
    with clock.frozen(NOW):
        yield cast


def test_a_partner_sees_this_month_against_the_same_days_of_the_last(november, browse):
    page = browse(november.partner).get("/").text
    assert "€60.00" in page  # 15% of 400.00
    assert "100%" in page  # October by the 20th brought half of that
    assert "Good morning, Pat" in page
    assert f'data-copy="{referral_link(november.acme)}"' in page


def test_a_partner_sees_only_their_own_money(november, browse):
    page = browse(november.other_partner).get("/").text
    assert "75.00" in page
    assert "€60.00" not in page


def test_a_new_partner_is_told_how_to_begin(browse, partner):
    page = browse(partner).get("/").text
    assert "Your first sale will appear here" in page
    assert "First steps" in page


def test_the_way_to_the_next_level(november):
    way = service.way(november.acme, 4)
    assert (way.tier.key, way.sales, way.left) == ("silver", 4, 6)


def test_steps_disappear_when_all_are_done(november, browse):
    with transaction():
        november.acme.website, november.acme.audience = "https://acme.example", "Accountants"
        make_member(november.acme)
    assert "First steps" not in browse(november.partner).get("/").text


def test_someone_without_an_organisation_is_told_so(browse, november):
    with transaction():
        for membership in november.acme.memberships:
            service.db.session.delete(membership)
    assert "no partner organisation" in browse(november.partner).get("/").text


def test_the_programme_of_a_month_is_not_summed_across_currencies(november):
    found = programme.overview()
    shown = [
        (each.code, each.now.sales, each.now.turnover, each.before.turnover) for each in found.currencies
    ]
    assert shown == [("PLN", 1, 50_000, 0), ("EUR", 2, 40_000, 20_000)]
    assert (found.active, found.sales, found.sales_before) == (2, 3, 1)


def test_a_manager_sees_it(november, browse):
    page = browse(november.manager).get("/").text
    assert "€400.00" in page
    assert "Active partners" in page


@pytest.mark.parametrize(
    ("hour", "words"),
    [(6, "Good morning"), (12, "Good afternoon"), (18, "Good evening"), (3, "Good evening")],
)
def test_the_greeting_follows_the_readers_hour(partner, hour, words):
    with clock.frozen(datetime(2026, 11, 20, hour, tzinfo=UTC)), i18n.speaking("en", "UTC"):
        assert service.greeting(partner) == f"{words}, Pat"


def test_a_visitor_is_asked_to_sign_in(client):
    assert client.get("/").location == "/sign-in"


def test_an_answered_ticket_waits_at_home_and_is_counted(browse, partner, other_partner, agent):
    ticket = make_ticket(partner, "Order 48213")
    with transaction():
        tickets.reply(ticket, agent, "It is back on your account.", seen=1, client_id="agent-0001")
    page = browse(partner).get("/").text
    assert "Waiting for your answer" in page
    assert "It is back on your account." in page
    assert '<span class="count">1</span>' in page
    assert "48213" not in browse(other_partner).get("/").text


def test_what_waits_for_the_team_does_not_wait_for_the_partner(browse, partner, agent):
    ticket = make_ticket(partner)
    with transaction():
        tickets.assign(ticket, agent, agent)
    assert "Waiting for your answer" not in browse(partner).get("/").text
    assert (inbox.my_turn(agent), inbox.partners_turn(partner)) == (1, 0)


def test_what_is_new_is_told_in_the_readers_language_and_for_their_eyes(browse, partner, manager):
    with transaction():
        category = make_category()
        make_article(category, "Partner tricks", audience=Audience.PARTNERS)
        make_article(category, "Escalation list", audience=Audience.STAFF)
        make_article(category, "Календарь выплат", lang="ru")
        make_article(category, "Unfinished", published=False)
        make_article(category, "Old news").published_at = clock.now() - timedelta(days=90)
        make_webinar(title="What sells in December")
        make_asset(manager, title="Invoices in a minute")
    page = browse(partner).get("/").text
    assert "Partner tricks" in page
    assert "What sells in December" in page
    assert "10 seats are free" in page
    assert "Invoices in a minute" in page
    assert [word for word in ("Escalation", "Календарь", "Unfinished", "Old news") if word in page] == []


def test_who_is_registered_is_not_asked_again(browse, partner):
    with transaction():
        make_registration(make_webinar(), partner)
    page = browse(partner).get("/").text
    assert "You are registered" in page
    assert ">Register<" not in page


def test_the_curve_shares_one_scale_and_stays_in_its_box():
    curve = draw(Comparison("EUR", this=[0, 12_000, 128_450], last=[0, 5_000, 60_000, 110_000]))
    assert [label for _y, label in curve.levels] == ["0", "500", "1,000", "1,500"]
    assert curve.this.startswith("M0.0 138.5 ")
    assert curve.now == (240.0, 25.5)
    heights = [float(number) for number in curve.this[1:].split()[1::2] + curve.last[1:].split()[1::2]]
    assert all(6.5 <= height <= 138.5 for height in heights)


def test_a_month_of_refunds_goes_below_zero():
    curve = draw(Comparison("EUR", this=[0, -4_000], last=[0, 1_000, 2_000]))
    assert curve.levels[0][1].startswith("-")
    assert curve.now[1] <= 138.5


def test_an_empty_month_still_has_a_scale():
    assert len(draw(Comparison("EUR", this=[0], last=[0, 0])).levels) == 4
