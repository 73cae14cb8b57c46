"""Who is really there: heartbeats, the chat that is offered, and what becomes of it when everyone leaves."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import g
from sqlalchemy.exc import OperationalError

from hub.core import clock, jobs, live, presence
from hub.core.access import Permission, roles_with
from hub.core.database import db, transaction
from hub.core.extensions import socketio
from hub.tickets import availability, chatting, service
from hub.tickets.models import Channel, Status, Ticket
from hub.tickets.telling import tell

from .factories import an_id, make_ticket

#: A Monday, 10:00 in Oslo, and the Saturday before, in UTC.
MONDAY, SATURDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC), datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def connect(app, browse):
    """`connect(user)` is the user's open page."""

    def connect(user):
        browser = browse(user)
        g.pop("_login_user", None)
        return socketio.test_client(app, flask_test_client=browser)

    return connect


def ask(socket, event, **data):
    g.pop("_login_user", None)
    return socket.emit(event, data, callback=True)


def heard(socket, name):
    args = [event["args"] for event in socket.get_received() if event["name"] == name]
    return [each[0] if isinstance(each, list) else each for each in args]


def begin(user, body="The link is broken. What now?", moment=MONDAY):
    with clock.frozen(moment), transaction():
        return chatting.begin_chat(user, body, client_id=an_id())


def fresh(ticket):
    db.session.rollback()
    return db.session.get(Ticket, ticket.id, populate_existing=True)


def test_a_chat_is_offered_while_somebody_of_the_team_is_there_within_hours(cast, connect):
    with clock.frozen(MONDAY):
        assert not availability.now().chat
        connect(cast.partner)
        assert not availability.now().chat
        agent = connect(cast.agent)
        assert availability.now().chat
    with clock.frozen(SATURDAY):
        assert not availability.now().chat
    with clock.frozen(MONDAY):
        g.pop("_login_user", None)
        agent.disconnect()
    with clock.frozen(MONDAY + presence.GRACE / 2):
        assert availability.now().chat, "from one page to the next is no leaving"
    with clock.frozen(MONDAY + presence.GRACE * 2):
        assert not availability.now().chat


def test_who_has_not_touched_the_page_for_long_is_not_there(cast, connect):
    with clock.frozen(MONDAY):
        agent = connect(cast.agent)
        assert ask(agent, "away", away=True)["ok"]
    with clock.frozen(MONDAY + presence.GRACE * 2):
        assert not availability.now().chat
        ask(agent, "away", away=False)
        assert availability.now().chat


def test_a_killed_process_takes_its_pages_along_and_another_keeps_its_own(app, cast, connect):
    with clock.frozen(MONDAY):
        connect(cast.agent)
    team = roles_with(Permission.TICKETS_WORK)
    with clock.frozen(MONDAY + presence.DEAD * 2):
        assert not availability.now().chat
        mine, app.extensions["hub.process_id"] = app.extensions["hub.process_id"], "another"
        try:
            connect(cast.manager)
            assert presence.here_until(team) > clock.now()
        finally:
            app.extensions["hub.process_id"] = mine
    with clock.frozen(MONDAY + presence.REMEMBERED * 3):
        jobs.run("live.prune")
        assert presence.here_until(team) is None
        assert db.session.scalar(db.select(db.func.count()).select_from(presence.Presence)) == 0


def test_signs_of_life_keep_an_open_page_here(cast, connect):
    with clock.frozen(MONDAY):
        connect(cast.agent)
    with clock.frozen(MONDAY + presence.DEAD * 2), transaction():
        presence.beat()
        assert availability.now().chat


def test_both_sides_see_who_has_the_thread_open(cast, connect):
    ticket = make_ticket(cast.partner)
    partner, agent = connect(cast.partner), connect(cast.agent)
    ask(partner, "join", ticket=ticket.number)
    ask(agent, "join", ticket=ticket.number)
    team_sees = [person["name"] for person in heard(agent, "presence")[-1]["people"]]
    assert team_sees == [cast.partner.name, cast.agent.name]
    assert [person["name"] for person in heard(partner, "presence")[-1]["people"]] == [cast.partner.name]
    with transaction():
        service.assign(ticket, cast.agent, cast.agent)
    ask(partner, "join", ticket=ticket.number)
    partner_sees = heard(partner, "presence")[-1]["people"]
    assert {"id": cast.agent.id, "name": cast.agent.name, "team": True} in partner_sees
    g.pop("_login_user", None)
    agent.disconnect()
    assert [person["name"] for person in heard(partner, "presence")[-1]["people"]] == [cast.partner.name]


def test_who_leaves_while_nothing_can_be_written_is_not_here_for_ever(cast, connect, monkeypatch):
    def locked(_socket):
        raise OperationalError("BEGIN", None, TimeoutError())

    with clock.frozen(MONDAY):
        agent = connect(cast.agent)
        g.pop("_login_user", None)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(presence, "leave", locked)
            agent.disconnect()
        live._see_off_late()
    with clock.frozen(MONDAY + presence.GRACE * 2):
        assert not availability.now().chat


def test_a_chat_is_a_ticket_whose_first_sentence_is_its_subject(cast, connect):
    ticket = begin(cast.partner)
    assert (ticket.subject, ticket.channel, ticket.is_chat) == (
        "The link is broken",
        Channel.CHAT,
        False,
    )
    with clock.frozen(MONDAY):
        connect(cast.agent)
    assert begin(cast.partner, "word " * 40).is_chat
    assert len(chatting.subject_of("word " * 40)) <= 81
    assert chatting.subject_of("x" * 500) == "x" * 80


def test_when_the_last_agent_leaves_waiting_chats_become_tickets_with_a_promise(cast, connect):
    with clock.frozen(MONDAY):
        agent = connect(cast.agent)
    waiting, answered = begin(cast.partner), begin(cast.other_partner)
    with clock.frozen(MONDAY), transaction():
        service.reply(answered, cast.agent, "Look now.", seen=1, client_id=an_id())
    with clock.frozen(MONDAY):
        jobs.run("tickets.unattended")
        assert fresh(waiting).is_chat, "the agent is there"
        g.pop("_login_user", None)
        agent.disconnect()
        jobs.run("tickets.unattended")
        assert fresh(waiting).is_chat, "a restart is no leaving"
    with clock.frozen(MONDAY + timedelta(minutes=2)):
        for _ in range(2):
            jobs.run("tickets.unattended")
    now = fresh(waiting)
    assert (now.is_chat, now.status, fresh(answered).is_chat) == (False, Status.NEW, True)
    (event,) = [event for event in service.events(now) if event.kind == "unattended"]
    assert datetime.fromisoformat(event.data["by"]) == now.due == MONDAY + timedelta(hours=4)
    with clock.frozen(MONDAY):
        assert "13:00" in tell(event)  # in UTC, which the test speaks
    with clock.frozen(MONDAY + timedelta(minutes=3)), transaction():
        service.reply(answered, cast.other_partner, "And now?", seen=2, client_id=an_id())
    with clock.frozen(MONDAY + timedelta(minutes=4)):
        jobs.run("tickets.unattended")
    assert not fresh(answered).is_chat


def test_the_window_promises_what_holds(browse, cast, connect):
    script = {"X-Requested-With": "fetch"}
    with clock.frozen(SATURDAY):
        page = browse(cast.partner).get("/tickets/chat").text
        assert "Mon 13:00" in page  # four working hours from nine, in Oslo
        assert "Chat now" not in page
    with clock.frozen(MONDAY):
        connect(cast.agent)
        assert "Chat now" in browse(cast.partner).get("/tickets/chat", headers=script).text
        assert 'href="/tickets/chat"' in browse(cast.partner).get("/tickets").text
        assert 'href="/tickets/chat"' not in browse(cast.agent).get("/inbox").text


def test_the_window_opens_one_chat_and_goes_on_with_it(browse, cast):
    browser, script = browse(cast.partner), {"X-Requested-With": "fetch"}
    form = {"body": "WINDOW-WORDS", "client_id": "window-1"}
    begun = browser.post("/tickets/chat", data=form, headers=script)
    assert "WINDOW-WORDS" in begun.text
    again = browser.post("/tickets/chat", data=form)
    assert again.status_code == 303
    assert db.session.scalar(db.select(db.func.count()).select_from(Ticket)) == 1
    assert "WINDOW-WORDS" in browser.get("/tickets/chat", headers=script).text
    assert "WINDOW-WORDS" not in browse(cast.other_partner).get("/tickets/chat", headers=script).text
    empty = browser.post("/tickets/chat", data={"body": "", "client_id": "window-2"}, headers=script)
    assert empty.status_code == 422
