"""The programme's figures, against sales and answers made by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hub.core import clock, i18n
from hub.core.database import transaction
from hub.reports import period as periods
from hub.reports import service
from hub.reports.service import Figure
from hub.tickets import service as tickets

from ..earnings.factories import sell
from ..factories import make_partner
from ..tickets.factories import an_id, make_ticket

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def november():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def november_and_october():
    period = periods.of(date(2026, 11, 1))
    return period, periods.before(period)


def at(month, day, hour=12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_running_month_is_compared_with_as_much_of_the_last_one(app, november_and_october):
    period, former = november_and_october
    assert period.end == NOW
    # The last Sunday of October has 25 hours, so the same length ends an hour earlier by the clock.
    assert former.end - former.start == period.end - period.start
    assert (period.days, former.month) == (20, date(2026, 10, 1))


def test_a_whole_month_begins_and_ends_in_oslo(app):
    period = periods.of(date(2026, 10, 1))
    assert period.start == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert period.end == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert period.days == 31


def test_sales_are_counted_in_their_month(cast, november_and_october):
    with transaction():
        for moment in (at(11, 1), at(11, 1), at(11, 19), at(10, 2), at(10, 30), at(9, 30, 21)):
            sell(cast.acme, at=moment)
    assert service.sales(*november_and_october) == Figure(3, 1)
    days = service.sales_by_day(november_and_october[0])
    assert (days[0], days[18], sum(days)) == (2, 1, 3)


def test_who_grows_and_who_falls(cast, november_and_october):
    with transaction():
        for day in (2, 3, 4):
            sell(cast.acme, at=at(11, day))
            sell(cast.other_org, at=at(10, day))
        sell(cast.acme, at=at(10, 5))
        sell(make_partner(), at=at(11, 5))  # one sale says nothing
    growing, falling = service.movers(*november_and_october)
    assert [(m.partner.id, m.now, m.before, m.change_bp) for m in growing] == [(cast.acme.id, 3, 1, 20_000)]
    assert [(m.partner.id, m.now, m.before, m.change_bp) for m in falling] == [
        (cast.other_org.id, 0, 3, -10_000)
    ]
    assert falling[0].days_without_sale == 47
    assert falling[0].is_away


def test_first_answer_is_the_median_and_unanswered_do_not_count(cast, november_and_october):
    assert service.first_answer(*november_and_october) == Figure(None, None)
    for hours in (1, 2, 9):
        with clock.frozen(at(11, 3)):
            ticket = make_ticket(cast.partner)
        with clock.frozen(at(11, 3) + timedelta(hours=hours)), transaction():
            tickets.reply(ticket, cast.agent, "Here", seen=1, client_id=an_id())
    with clock.frozen(at(11, 4)):
        make_ticket(cast.partner)
    assert service.first_answer(*november_and_october) == Figure(7200, None)


def test_no_former_figure_is_no_change():
    assert Figure(3, 0).change_bp is None
    assert Figure(0, 4).change_bp == -10_000


@pytest.mark.parametrize(
    ("now", "before", "shown"), [(20, 1, None), (6, 4, None), (55, 5, None), (54, 5, 98_000), (2, 6, -6_700)]
)
def test_a_percentage_is_shown_only_where_it_says_something(now, before, shown):
    assert Figure(now, before).telling_bp == shown


def test_a_change_from_next_to_nothing_is_told_by_how_many(cast, browse, manager):
    for day, month in [(2, 10), *((day, 11) for day in range(1, 13))]:
        with clock.frozen(at(month, day)):
            make_ticket(cast.partner)
    page = browse(manager).get("/reports").text
    assert '<span class="strong">+11</span> · 1 in October 2026' in page
    assert "%" not in page[page.index("Questions asked") : page.index("First answer")]


def test_currencies_are_never_added_up(cast, november_and_october):
    with transaction():
        sell(cast.acme, 23_900, at(11, 2))
        sell(cast.acme, 95_900, at(11, 3), currency="PLN")
    found = {
        (currency, count, turnover)
        for _how, currency, count, turnover in service.sources(november_and_october[0])
    }
    assert found == {("EUR", 1, 23_900), ("PLN", 1, 95_900)}


def test_the_page_shows_them_and_survives_an_empty_programme(cast, browse, manager):
    assert browse(manager).get("/reports").status_code == 200
    with transaction():
        sell(cast.acme, at=at(11, 2))
    page = browse(manager).get("/reports?month=2026-11").text
    assert "November 2026" in page
    assert "€239.00" in page


@pytest.mark.parametrize("month", ["", "nonsense", "2026-13", "2031-01", "0000-00"])
def test_a_month_that_is_none_shows_the_present_one(browse, manager, month):
    assert "November 2026" in browse(manager).get("/reports", query_string={"month": month}).text


def test_the_export_has_plain_numbers(cast, browse, manager):
    with transaction():
        sell(cast.acme, at=at(11, 2))
    lines = browse(manager).get("/reports/sales.csv?month=2026-11").get_data(as_text=True).splitlines()
    assert lines[1].startswith("2026-11,EUR,1,0,239.00,")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (59, "1 min"), (6720, "1 hr 52 min"), (7200, "2 hr"), (90_000, "1 day 1 hr")],
)
def test_durations_have_two_units_at_most(app, seconds, text):
    with i18n.speaking("en"):
        assert i18n.duration(seconds).replace("mins", "min").replace("hrs", "hr") == text
