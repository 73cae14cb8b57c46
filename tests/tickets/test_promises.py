"""Working hours and promised times on their page: who changes them, what is refused, and what a change leaves alone."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.core import clock, i18n
from hub.core.audit import AuditEvent
from hub.core.database import db, transaction
from hub.tickets import due, policies, promises, service
from hub.tickets.models import Clock, Message, Priority, ServiceRules, Ticket, Visibility

from .factories import an_id, make_ticket

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # 09:00 in Oslo


@pytest.fixture(autouse=True)
def monday():
    with clock.frozen(MONDAY):
        yield


def filled(**changed) -> dict[str, object]:
    """The form as a browser sends it: five working days, two promises."""
    data = {"version": 0, "zone": "Europe/Oslo", "warn": 30, "holidays": "24.12.2026 Christmas Eve"}
    data |= {f"week-{n}": "09:00–12:00, 13–17:30" if n < 5 else "" for n in range(7)}
    rows = [{"first": "4:00", "next": "8", "resolution": "27:00"}, {"priority": "urgent", "first": "0:30"}]
    for n, row in enumerate(rows):
        data |= {f"rows-{n}-{name}": row.get(name, "") for name in ("tier", "category", "priority", *Clock)}
    return data | changed


def reading(ticket, clock_=Clock.FIRST):
    return next(each for each in promises.readings(ticket) if each.clock is clock_)


def test_a_manager_writes_down_the_promises_and_the_log_says_what_changed(cast, browse, manager):
    manager = browse(cast.manager)
    assert manager.post("/inbox/promises", data=filled()).status_code == 303
    rules = promises.rules_now()
    assert rules.hours.week[0] == ((540, 720), (780, 1050))
    assert (rules.hours.week[5], len(rules.hours.holidays)) == ((), 1)
    assert [(p.priority, p.first, p.next) for p in rules.policies] == [
        (None, 240, 480),
        (Priority.URGENT, 30, None),
    ]
    logged = db.session.scalar(select(AuditEvent).where(AuditEvent.action == "service_rules.changed"))
    assert (logged.actor_id, logged.after["holidays"]) == (cast.manager.id, ["2026-12-24 Christmas Eve"])
    page = manager.get("/inbox/promises").text
    assert "09:00–12:00, 13:00–17:30" in page
    assert "2026-12-24 Christmas Eve" in page
    # What says the same makes no version, and what another has changed meanwhile is not overwritten.
    held = db.session.scalar(select(ServiceRules.id))
    assert manager.post("/inbox/promises", data=filled(version=held)).status_code == 303
    assert manager.post("/inbox/promises", data=filled(warn=10)).status_code == 409
    assert len(policies.versions()) == 1
    assert "disabled" in browse(cast.agent).get("/inbox/promises").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"week-0": "09:00–12:00, 11:00–18:00"}, "Monday: write it like"),
        ({"week-1": "18:00–09:00"}, "Tuesday: write it like"),
        ({"week-2": "20:00–24:01"}, "Wednesday: write it like"),
        ({f"week-{n}": "" for n in range(7)}, "No day is a working day"),
        ({"holidays": "2026-02-30"}, "does not begin with a date"),
        ({"rows-0-first": "soon"}, "Write it like 4:00"),
        ({"rows-0-first": "0:00"}, "Write it like 4:00"),
        ({"rows-0-resolution": "2:00"}, "Nothing is solved before it is answered"),
        ({"rows-1-priority": ""}, "Two promises are for the same tickets"),
        ({"zone": "Europe/Atlantis"}, "Not a valid choice"),
    ],
)
@pytest.mark.once
def test_what_cannot_be_meant_is_refused_beside_its_field_and_kept(cast, browse, wrong, said):
    answer = browse(cast.manager).post("/inbox/promises", data=filled(**wrong))
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="8"' in answer.text
    assert policies.versions() == []


def test_new_promises_leave_what_was_promised_before(cast):
    old = make_ticket(cast.partner)
    due = old.due_at
    with clock.frozen(MONDAY + timedelta(minutes=10)), transaction():
        data = policies.data_of(None) | {"policies": [{"first": 5, "next": 5, "resolution": 5}]}
        policies.change(cast.manager, data, based_on=0)
    with clock.frozen(MONDAY + timedelta(minutes=20)):
        new = make_ticket(cast.partner)
        assert (reading(new).target, reading(old).target) == (timedelta(minutes=5), timedelta(minutes=240))
        with transaction():
            promises.follow(db.session.get(Ticket, old.id))
        assert db.session.get(Ticket, old.id).due_at == due
        with transaction():
            service.reply(old, cast.agent, "Here.", seen=9, client_id=an_id())
        assert reading(old).is_met
        assert reading(old, Clock.RESOLUTION).target == timedelta(minutes=1620)


def test_partners_are_told_by_when_an_answer_comes_not_when_an_office_is_open(cast, browse):
    with transaction():
        data = policies.data_of(None) | {"zone": "Europe/Oslo", "policies": [{"first": 60}]}
        policies.change(cast.manager, data, based_on=0)
    page = browse(cast.partner).get("/tickets/new").text
    with i18n.speaking("en", cast.partner.time_zone):
        promised = due.when(MONDAY + timedelta(hours=1))
    assert f"The answer comes by {promised} your time" in page


def test_a_rows_due_time_is_that_of_the_whole_history(cast):
    """The row is kept from the few answers that still count, whatever order a merge has put them in."""
    dice = random.Random(4)
    for number in range(12):
        ticket = make_ticket(cast.partner)
        said = [(dice.choice((cast.partner, cast.agent)), dice.randrange(5)) for _ in range(number)]
        with transaction() as session:
            session.add_all(
                Message(
                    ticket_id=ticket.id,
                    seq=2 + seq,
                    author_id=author.id,
                    body="…",
                    visibility=dice.choice(list(Visibility)),
                    automatic=dice.random() < 0.2,
                    client_id=an_id(),
                    at=MONDAY + timedelta(minutes=minute),
                )
                for seq, (author, minute) in enumerate(said)
            )
        with clock.frozen(MONDAY + timedelta(minutes=30)):
            whole = [r for r in promises.readings(ticket) if r.clock is not Clock.NEXT or not r.stopped_at]
            assert promises.readings(ticket, answered=False) == whole
