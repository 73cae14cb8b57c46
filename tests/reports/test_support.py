"""How the team answers, against tickets whose times are known."""

import random
from datetime import UTC, date, datetime, timedelta
from math import ceil
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select

from hub.core import clock
from hub.core.database import db, transaction
from hub.reports import span as spans
from hub.reports import support
from hub.reports.span import Span
from hub.reports.support import By, Group, Times
from hub.tickets import service
from hub.tickets.models import Category, Channel, Status, Ticket
from hub.tickets.models_fields import Kind, TicketValue
from hub.tickets.models_rating import Rating

from ..tickets.factories import make_field, make_ticket

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 20))


@pytest.fixture(autouse=True)
def november():
    with clock.frozen(NOW):
        yield


def at(day, hour=12, month=11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def write(cast, rows) -> None:
    """Tickets as they lie in the table: each row says what differs from a solved one of today."""
    usual = {
        "partner_id": cast.acme.id,
        "requester_id": cast.partner.id,
        "status": Status.RESOLVED,
        "is_live": False,
        "created_at": at(10),
        "resolved_at": at(11),
        "subject": "Payout",
    }
    with transaction():
        db.session.execute(insert(Ticket), [usual | {"number": 5000 + n} | row for n, row in enumerate(rows)])


def nearest(values, percent) -> int:
    """The value of the nearest rank."""
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def test_percentiles_are_those_of_the_nearest_rank_in_each_group(cast):
    rng = random.Random(4)
    rows = [
        {
            "category": rng.choice([Category.PAYOUT, Category.LINKS]),
            "first_reply_minutes": rng.choice([None, rng.randint(0, 600)]),
            "resolution_minutes": rng.randint(1, 3000),
        }
        for _ in range(60)
    ]
    write(cast, rows)
    whole = support.overview(NOVEMBER, Group(By.CATEGORY))
    assert whole.now.resolution.p90 == nearest([row["resolution_minutes"] for row in rows], 90)
    found = whole.groups
    for category in (Category.PAYOUT, Category.LINKS):
        mine = [row for row in rows if row["category"] is category]
        first = [row["first_reply_minutes"] for row in mine if row["first_reply_minutes"] is not None]
        solved = [row["resolution_minutes"] for row in mine]
        assert found[category].asked == len(mine)
        assert found[category].first == Times(len(first), nearest(first, 50), nearest(first, 90))
        assert found[category].resolution == Times(len(solved), nearest(solved, 50), nearest(solved, 90))


def test_a_period_is_compared_with_as_many_days_before_it(cast):
    asked = [at(1, 0), at(20, 11), at(31, 22, 10), at(12, 0, 10), at(11, 21, 10)]
    write(cast, [{"created_at": moment} for moment in asked])
    found = support.overview(NOVEMBER)
    # Midnight in Oslo is 23:00 UTC in winter and 22:00 in summer.
    assert (found.now.asked, found.before.asked) == (2, 2)
    assert support.overview(Span(date(2025, 1, 1), date(2025, 2, 1))).now.first == Times()


def test_a_group_that_comes_while_others_are_summed_waits_for_the_next_look(cast, monkeypatch):
    write(cast, [{"first_reply_minutes": 5}])
    execute, early = db.session.execute, [[]]
    session = SimpleNamespace(execute=lambda statement: early.pop() if early else execute(statement))
    monkeypatch.setattr(support, "db", SimpleNamespace(session=session))
    assert support.overview(NOVEMBER).groups == {}


def test_what_was_opened_again_counts_once_and_what_was_merged_not_at_all(cast):
    with clock.frozen(at(9)):
        ticket, other = make_ticket(cast.partner), make_ticket(cast.partner)
        for status in (Status.RESOLVED, Status.OPEN, Status.RESOLVED, Status.OPEN):
            with transaction():
                service.set_status(ticket, cast.agent, status)
        with transaction():
            service.set_status(other, cast.agent, Status.RESOLVED)
        merged = make_ticket(cast.partner)
        with transaction():
            service.merge(merged, ticket, cast.agent)
        with transaction():
            service.unmerge(service.merge_of(merged), cast.agent)
        assert (ticket.reopened, merged.reopened) == (2, 0)
        with transaction():
            service.merge(merged, ticket, cast.agent)
    now = support.overview(NOVEMBER).now
    assert (now.asked, now.settled, now.reopened, now.reopened_bp) == (2, 2, 1, 5000)


def test_ratings_are_the_mean_of_those_given(cast):
    write(cast, [{"assignee_id": cast.agent.id}, {"assignee_id": cast.agent.id}, {}])
    ids = db.session.scalars(db.select(Ticket.id).order_by(Ticket.id)).all()
    with transaction():
        given = [(ids[0], 1, 5), (ids[0], 2, 2), (ids[1], 1, None)]
        db.session.add_all(Rating(ticket_id=id, version=n, score=score) for id, n, score in given)
    found = support.overview(NOVEMBER).groups
    assert (found[cast.agent.id].ratings, found[cast.agent.id].score) == (2, 3.5)
    assert (found[None].ratings, found[None].score) == (0, None)


def test_what_waits_by_its_age_now_and_at_a_moment_that_is_past(cast):
    live = {"status": Status.OPEN, "is_live": True, "resolved_at": None}
    ages = (0.5, 2, 5, 20, 40, 50)
    write(cast, [live | {"created_at": NOW - timedelta(days=age)} for age in ages])
    write(cast, [{"number": 9000, "created_at": at(1), "resolved_at": at(11)}])
    write(cast, [{"number": 9001, "created_at": at(1), "resolved_at": None, "closed_at": at(2)}])
    assert support.backlog(NOW) == [1, 1, 1, 1, 2]
    assert sum(support.backlog(at(10))) == 4


def test_hours_are_those_of_the_wall_through_a_change_of_clocks(cast):
    write(cast, [{"created_at": moment} for moment in (at(24, 7, 10), at(26, 7, 10), at(26, 7, 10))])
    hours = support.asked_by_hour(Span(date(2026, 10, 1), date(2026, 10, 31)))
    week = support.week(hours, "Europe/Oslo")
    assert (week[5][9], week[0][8], sum(map(sum, week))) == (1, 2, 3)
    assert support.by_day(hours, Span(date(2026, 10, 24), date(2026, 10, 26))) == {
        date(2026, 10, 24): 1,
        date(2026, 10, 25): 0,
        date(2026, 10, 26): 2,
    }


@pytest.mark.once
def test_days_that_are_none_are_the_last_three_months(app):
    assert spans.of("nonsense", "2031-01-01") == Span(date(2026, 8, 23), date(2026, 11, 20))
    assert spans.of("2001-01-01", "2026-01-01").length == spans.LONGEST
    assert spans.of("2026-11-30", "2026-11-10") == Span(date(2026, 11, 10), date(2026, 11, 10))


@pytest.mark.parametrize("by", list(By))
def test_the_page_and_its_table_show_them_and_survive_an_empty_programme(cast, browse, by):
    manager = browse(cast.manager)
    assert "No questions" in manager.get("/reports/support").text
    times = {"first_reply_minutes": 95, "resolution_minutes": 600}
    write(
        cast, [times | {"channel": Channel.MAIL, "tier_id": cast.acme.tier_id, "assignee_id": cast.agent.id}]
    )
    page = manager.get(f"/reports/support?by={by}").text
    assert "1 hr 35" in page
    name = {By.AGENT: cast.agent.name, By.CATEGORY: "Something else", By.CHANNEL: "E-mail"}.get(by)
    table = manager.get(f"/reports/support.csv?by={by}&from=2026-11-01&to=2026-11-20").text.splitlines()
    assert table[1].endswith(",1,95,95,600,600,1,0,0,")
    assert name is None or table[1].startswith(name)


def test_fields_of_the_programmes_own_are_counted_by(cast, browse):
    cause = make_field("Cause", Kind.CHOICE, ["Our mistake", "Bank"])
    write(cast, [{"first_reply_minutes": minutes} for minutes in (10, 20, 40)])
    with transaction() as session:
        late = session.scalar(select(Ticket.id).where(Ticket.first_reply_minutes == 40))
        session.add(TicketValue(ticket_id=late, field_id=cause.id, value="1"))
    manager = browse(cast.manager)
    assert "Our mistake" in manager.get(f"/reports/support?by=field-{cause.id}").text
    table = manager.get(f"/reports/support.csv?by=field-{cause.id}&from=2026-11-01&to=2026-11-20").text
    assert [line.split(",")[:3] for line in table.lstrip("\ufeff").splitlines()] == [
        ["Cause", "Questions", '"First answer'],
        ["Not filled in", "2", "10"],
        ["Our mistake", "1", "40"],
        ["All", "3", "20"],
    ]
