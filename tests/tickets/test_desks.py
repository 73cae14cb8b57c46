"""Who gets a ticket, when it comes back, and when the team is warned."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from hub.core import clock, jobs
from hub.core.clock import frozen
from hub.core.database import db, transaction
from hub.notifications.models import Notification
from hub.tickets import rotation, service
from hub.tickets.errors import NotLater
from hub.tickets.inbox import Asked, View, tickets
from hub.tickets.models import Alarm, Status, Ticket, TicketEvent

from .factories import an_id, make_ticket

#: A Wednesday at noon.
NOON = datetime(2026, 11, 18, 12, tzinfo=ZoneInfo("Europe/Oslo"))


def fresh(ticket) -> Ticket:
    return db.session.get(Ticket, ticket.id, populate_existing=True)


def sits(user, **how):
    with transaction():
        desk = rotation.desk_of(user)
        for name, value in ({"takes_turns": True} | how).items():
            setattr(desk, name, value)


def holders(*all_tickets) -> list[int | None]:
    return [fresh(each).assignee_id for each in all_tickets]


def test_tickets_go_round_until_nobody_has_room(cast):
    with frozen(NOON):
        sits(cast.agent, capacity=2)
        sits(cast.manager, capacity=1)
        some = [make_ticket(cast.partner) for _ in range(4)]
        jobs.run("tickets.distribute")
        assert holders(*some) == [cast.agent.id, cast.manager.id, cast.agent.id, None]
        with transaction():
            service.set_status(some[1], cast.manager, Status.RESOLVED)
        jobs.run("tickets.distribute")
        assert holders(some[3]) == [cast.manager.id]


def test_nobody_gets_tickets_outside_their_hours_or_without_wanting_them(cast):
    ticket = make_ticket(cast.partner)
    sits(cast.agent, opens=9 * 60, closes=12 * 60)  # until noon
    sits(cast.manager, takes_turns=False)
    with frozen(NOON):
        jobs.run("tickets.distribute")
        assert holders(ticket) == [None]
    with frozen(NOON + timedelta(days=3, hours=-1)):  # a Saturday
        jobs.run("tickets.distribute")
        assert holders(ticket) == [None]
    with frozen(NOON - timedelta(hours=1)):
        jobs.run("tickets.distribute")
    assert holders(ticket) == [cast.agent.id]


def test_two_who_distribute_at_once_give_each_ticket_once(app, cast):
    with frozen(clock.now()):
        now = clock.now()
        for person in (cast.agent, cast.manager):
            sits(person, opens=0, closes=1440, capacity=3)
        some = [make_ticket(cast.partner) for _ in range(6)]
    weekday = NOON if now.weekday() > 4 else now
    done = []

    def work():
        with app.app_context(), frozen(weekday):
            jobs.run("tickets.distribute")
            done.append(1)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert len(done) == 4
    db.session.rollback()
    assert sorted(holders(*some)) == sorted([cast.agent.id] * 3 + [cast.manager.id] * 3)
    given = db.session.scalars(select(TicketEvent).where(TicketEvent.kind == "assigned")).all()
    assert len(given) == 6


def test_who_leaves_gives_back_what_waits_for_them_and_history_keeps_the_name(cast, browse):
    mine, answered = make_ticket(cast.partner), make_ticket(cast.partner)
    with transaction():
        service.assign(mine, cast.agent, cast.agent)
        service.reply(answered, cast.agent, "Look here.", seen=1, client_id=an_id())
    assert browse(cast.agent).post("/inbox/away").status_code == 303
    assert holders(mine, answered) == [None, cast.agent.id]
    with transaction():
        service.reply(answered, cast.partner, "I looked.", seen=2, client_id=an_id())
    jobs.run("tickets.distribute")
    assert holders(answered) == [None]
    assert cast.agent.name in [event.data.get("to") for event in service.events(mine)]
    assert browse(cast.agent).post("/inbox/away").status_code == 303
    jobs.run("tickets.distribute")
    assert holders(mine) == [None]  # what was given back does not return by itself


def test_the_work_of_someone_disabled_returns_to_the_team(cast):
    ticket = make_ticket(cast.partner)
    with transaction():
        service.assign(ticket, cast.agent, cast.agent)
        db.session.get(type(cast.agent), cast.agent.id).disabled_at = clock.now()
    jobs.run("tickets.distribute")
    assert holders(ticket) == [None]


def test_a_ticket_put_off_comes_back_at_its_time_or_with_an_answer(cast):
    first, second = make_ticket(cast.partner), make_ticket(cast.partner)
    until = clock.now() + timedelta(hours=3)
    for each in (first, second):
        with transaction():
            service.snooze(each, cast.agent, until)
    later = Asked(View.LATER)
    assert len(tickets(later, cast.agent)) == 2
    assert len(tickets(Asked(View.UNASSIGNED), cast.agent)) == 0
    with transaction():
        service.reply(first, cast.partner, "Any news?", seen=1, client_id=an_id())
    assert [each.id for each in tickets(later, cast.agent)] == [second.id]
    with frozen(until):
        jobs.run("tickets.wake")
    assert len(tickets(later, cast.agent)) == 0
    with pytest.raises(NotLater), transaction():
        service.snooze(first, cast.agent, clock.now() - timedelta(minutes=1))


def test_the_team_is_warned_once_and_told_once_that_it_is_late(cast):
    def told(user, kind):
        wanted = select(Notification).where(Notification.user_id == user.id, Notification.kind == kind)
        return len(db.session.scalars(wanted).all())

    with frozen(NOON - timedelta(hours=3)):
        ticket = make_ticket(cast.partner)
        with transaction():
            service.assign(ticket, cast.agent, cast.agent)
    for at in (ticket.warn_at, ticket.warn_at):
        with frozen(at):
            jobs.run("tickets.alarm")
    assert (told(cast.agent, "ticket.soon"), told(cast.manager, "ticket.soon")) == (1, 0)
    for at in (ticket.due_at, ticket.due_at + timedelta(hours=1)):
        with frozen(at):
            jobs.run("tickets.alarm")
    assert (told(cast.agent, "ticket.overdue"), told(cast.manager, "ticket.overdue")) == (1, 1)
    assert fresh(ticket).alarm is Alarm.OVERDUE
    with frozen(ticket.due_at + timedelta(hours=2)), transaction():
        service.reply(ticket, cast.agent, "Sorry.", seen=1, client_id=an_id())
    assert (fresh(ticket).alarm, ticket.due) == (Alarm.NONE, None)


def test_tags_are_tidied_and_found(cast, browse):
    ticket = make_ticket(cast.partner, "Tagged")
    make_ticket(cast.partner, "Plain")
    browser = browse(cast.agent)
    browser.post(f"/tickets/{ticket.number}/tags", data={"tags": "Refund, #VIP,refund ,"})
    assert fresh(ticket).tags == ["refund", "vip"]
    assert [each.subject for each in tickets(Asked.read({"view": "all", "tag": "VIP"}), cast.agent)] == [
        "Tagged"
    ]
    browser.post(f"/tickets/{ticket.number}/tags", data={"tags": ""})
    assert tickets(Asked.read({"view": "all", "tag": "vip"}), cast.agent).items == []
