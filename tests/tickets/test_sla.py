"""Working hours and promised times against an oracle that looks at every single minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.tickets import sla
from hub.tickets.hours import Hours
from hub.tickets.models import Category, Clock, Priority, Status
from hub.tickets.sla import Fact, Kind, Policy, Rules

MINUTE = timedelta(minutes=1)
#: Changes of clocks in both directions and hemispheres, one by half an hour only.
ZONES = (
    "Europe/Oslo",
    "Europe/Kyiv",
    "Europe/Warsaw",
    "Asia/Almaty",
    "America/New_York",
    "Australia/Lord_Howe",
)
AROUND = (
    datetime(2026, 10, 24, tzinfo=UTC),
    datetime(2027, 3, 27, tzinfo=UTC),
    datetime(2026, 4, 4, tzinfo=UTC),
    datetime(2026, 12, 30, tzinfo=UTC),
)
pytestmark = pytest.mark.once


@st.composite
def days(draw):
    """Up to three intervals of a day, apart from each other; 1440 is 24:00."""
    marks = sorted(draw(st.sets(st.integers(0, 1440), min_size=0, max_size=6)))
    return tuple((marks[i], marks[i + 1]) for i in range(0, len(marks) - 1, 2))


@st.composite
def calendars(draw):
    holidays = draw(
        st.sets(
            st.sampled_from([base.date() + timedelta(days=n) for base in AROUND for n in range(5)]),
            max_size=3,
        )
    )
    return Hours(draw(st.sampled_from(ZONES)), tuple(draw(days()) for _ in range(7)), frozenset(holidays))


moments = st.builds(lambda base, n: base + n * MINUTE, st.sampled_from(AROUND), st.integers(0, 3 * 1440))


def is_open(hours: Hours, at: datetime) -> bool:
    """What the rule says of one minute, from the wall clock alone."""
    wall = at.astimezone(ZoneInfo(hours.zone))
    if wall.date() in hours.holidays:
        return False
    return any(a <= wall.hour * 60 + wall.minute < b for a, b in hours.week[wall.weekday()])


def counted(hours: Hours, start: datetime, end: datetime) -> int:
    return sum(is_open(hours, start + n * MINUTE) for n in range(max(0, int((end - start) / MINUTE))))


ALL_DAY = Hours("Europe/Oslo", (((0, 1440),),) * 7)


@settings(max_examples=40, deadline=None)
@given(calendars(), moments, st.integers(0, 2 * 1440))
@example(ALL_DAY, datetime(2026, 10, 24, 22, tzinfo=UTC), 1500)  # a day of 25 hours
@example(ALL_DAY, datetime(2027, 3, 27, 23, tzinfo=UTC), 1380)  # a day of 23 hours
@example(
    Hours("Europe/Oslo", (((120, 150),),) * 7), datetime(2026, 10, 24, 22, tzinfo=UTC), 1500
)  # comes twice
@example(
    Hours("Europe/Oslo", (((120, 150),),) * 7), datetime(2027, 3, 27, 23, tzinfo=UTC), 1380
)  # never comes
def test_working_time_between_two_moments_is_what_counting_minutes_gives(hours, start, minutes):
    assert (
        hours.between(start, start + minutes * MINUTE)
        == counted(hours, start, start + minutes * MINUTE) * MINUTE
    )


@settings(max_examples=40, deadline=None)
@given(calendars(), moments, st.integers(7 * 1440, 40 * 1440))
def test_weeks_taken_together_count_what_their_days_do(hours, start, minutes):
    end = start + minutes * MINUTE
    days = sum((high - low for low, high in hours.spans(start, end)), timedelta())
    assert hours.between(start, end) == days


@settings(max_examples=40, deadline=None)
@given(calendars(), moments, st.integers(1, 900))
def test_an_end_is_the_first_moment_by_which_enough_minutes_were_open(hours, start, work):
    end = hours.after(start, work * MINUTE)
    at, left = start, work
    while left and at < start + timedelta(days=9):
        left -= is_open(hours, at)
        at += MINUTE
    if left == 0:
        assert end == at
    else:
        assert end is None or end > at


RULES = Rules(
    Hours("Europe/Oslo", (((540, 720), (780, 1080)),) * 5 + ((), ())),
    (
        Policy(first=60, next=90, resolution=400),
        Policy(priority=Priority.URGENT, first=10, next=20, resolution=100),
    ),
)
KIND = Kind("silver", Category.OTHER, Priority.NORMAL)
steps = st.lists(
    st.tuples(
        st.integers(1, 700),
        st.sampled_from(["answer", "question", *Status, Priority.URGENT, Priority.NORMAL]),
    ),
    max_size=8,
)


def told(start, story) -> list[Fact]:
    """A story of (minutes later, what) as facts; answers hand over the turn as the rules of replies do."""
    facts, at, status = [], start, Status.NEW
    for minutes, what in story:
        at += minutes * MINUTE
        if what in ("answer", "question"):
            facts.append(Fact(at, answer_of_team=what == "answer"))
            status = Status.WAITING if what == "answer" else status if status is Status.NEW else Status.OPEN
            facts.append(Fact(at, status=status))
        elif what in list(Priority):
            facts.append(Fact(at, priority=Priority(what)))
        else:
            status = Status(what)
            facts.append(Fact(at, status=status))
    return facts


def replayed(start, facts, now, rules):
    """(clock, minutes spent, is running) of every clock, found by living through the story minute by minute."""
    status, priority = Status.NEW, KIND.priority
    clocks = [["first", 0, True, priority], ["resolution", 0, True, priority]]
    left = list(facts)
    at = start
    while True:
        while left and left[0].at <= at:
            fact = left.pop(0)
            if fact.priority:
                priority = fact.priority
                for each in clocks:
                    each[3] = priority if each[2] else each[3]
            if fact.answer_of_team:
                for each in clocks:
                    each[2] = each[2] and each[0] == "resolution"
            if fact.answer_of_team is False and not any(
                each[2] and each[0] != "resolution" for each in clocks
            ):
                clocks.append(["next", 0, True, priority])
            if fact.status:
                status = fact.status
                clocks[1][2] = status in (Status.NEW, Status.OPEN, Status.WAITING)
                clocks[1][3] = priority if clocks[1][2] and status else clocks[1][3]
        if at >= now:
            return [(clock, spent, running, kind) for clock, spent, running, kind in clocks], status
        for each in clocks:
            each[1] += each[2] and status in (Status.NEW, Status.OPEN) and is_open(rules.hours, at)
        at += MINUTE


@settings(max_examples=40, deadline=None)
@given(moments, steps, st.integers(0, 1500))
@example(
    datetime(2026, 12, 30, 4, 1, tzinfo=UTC), [(700, "answer"), (1, "question")], 0
)  # broken, then paused
def test_every_clock_shows_what_living_through_its_history_gives(start, story, later):
    facts = told(start, story)
    now = (facts[-1].at if facts else start) + later * MINUTE
    expected, status = replayed(start, facts, now, RULES)
    found = sla.reckon(start, KIND, facts, lambda at: RULES, now)
    assert [(each.clock, each.spent / MINUTE, each.stopped_at is None) for each in found] == [
        each[:3] for each in expected
    ]
    for reading, (_clock, _spent, running, priority) in zip(found, expected, strict=True):
        if running:
            target = getattr(RULES.policy(Kind(None, Category.OTHER, priority)), reading.clock)
            assert reading.target == target * MINUTE
        if not running or status not in (Status.NEW, Status.OPEN):
            assert reading.due is None
        elif reading.due > now:  # the rest of the promise lies between now and then
            assert reading.target - reading.spent == counted(RULES.hours, now, reading.due) * MINUTE
        else:  # what is over the promise lies behind, in the turns of the team
            assert reading.spent - reading.target == worked(start, facts, reading.due, now) * MINUTE


def worked(start, facts, since, until) -> int:
    """Minutes between two moments that were open and the team's turn."""
    changes = [(fact.at, fact.status) for fact in facts if fact.status]
    minutes = 0
    while since < until:
        status = next((status for at, status in reversed(changes) if at <= since), Status.NEW)
        minutes += status in (Status.NEW, Status.OPEN) and is_open(RULES.hours, since)
        since += MINUTE
    return minutes


MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # 09:00 in Oslo


def first(facts, rules_at, now) -> sla.Reading:
    return next(each for each in sla.reckon(MONDAY, KIND, facts, rules_at, now) if each.clock is Clock.FIRST)


def test_new_rules_hold_for_what_starts_after_them():
    strict = Rules(RULES.hours, (Policy(first=5, next=5, resolution=5),))
    changed = MONDAY + timedelta(minutes=30)

    def rules_at(moment):
        return strict if moment >= changed else RULES

    story = told(MONDAY, [(40, "answer"), (10, "question")])
    found = sla.reckon(MONDAY, KIND, story, rules_at, MONDAY + timedelta(hours=1))
    targets = {each.clock: each.target / MINUTE for each in found}
    assert targets == {Clock.FIRST: 60, Clock.RESOLUTION: 400, Clock.NEXT: 5}
    assert found[0].is_met


def test_lunch_and_a_warning_before():
    at_noon = MONDAY + timedelta(hours=2, minutes=40)  # 11:40; lunch is 12:00–13:00
    reading = next(
        each for each in sla.reckon(at_noon, KIND, [], lambda at: RULES, at_noon) if each.clock is Clock.FIRST
    )
    assert reading.due == MONDAY + timedelta(hours=4, minutes=40)  # 13:40
    assert reading.warn == MONDAY + timedelta(hours=4, minutes=10)


def test_the_more_exact_policy_wins():
    rules = Rules(
        policies=(
            Policy(first=1),
            Policy(tier="gold", first=2),
            Policy(category=Category.PAYOUT, first=3),
            Policy(priority=Priority.URGENT, first=4),
            Policy(tier="gold", priority=Priority.URGENT, first=5),
        )
    )
    kinds = [
        ("bronze", "other", "low"),
        ("gold", "other", "low"),
        ("gold", "payout", "low"),
        (None, "payout", "urgent"),
        ("gold", "other", "urgent"),
    ]
    assert [rules.policy(Kind(t, Category(c), Priority(p))).first for t, c, p in kinds] == [1, 2, 3, 4, 5]


def test_a_closed_calendar_promises_nothing():
    assert Hours().after(MONDAY, MINUTE) is None
    assert Hours().next_opening(MONDAY) is None


def test_holidays_and_midnight():
    hours = Hours("Europe/Oslo", (((0, 1440),),) * 7, frozenset({date(2026, 12, 25)}))
    christmas_eve = datetime(2026, 12, 24, 22, 30, tzinfo=UTC)  # 23:30 in Oslo
    assert hours.after(christmas_eve, 60 * MINUTE) == datetime(2026, 12, 25, 23, 30, tzinfo=UTC)
    assert [sla.minutes("24:00"), sla.minutes("00:00"), sla.wall(1440)] == [1440, 0, "24:00"]
    for wrong in ("24:01", "25:00", "12:60", "-1:00", "x"):
        with pytest.raises(ValueError, match=r"."):
            sla.minutes(wrong)
