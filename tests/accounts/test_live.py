"""Sockets: for those who are signed in, and only as long as they are."""

import pytest
from flask import g

from hub.accounts import service, sessions, tokens
from hub.core import live, presence
from hub.core.database import db, transaction
from hub.core.errors import Forbidden
from hub.core.extensions import socketio
from hub.core.live import LiveEvent, Process


@pytest.fixture
def echo(app):
    """An event that answers who asked, or refuses."""

    @live.on("test:echo")
    def handle(user, data):
        if data.get("refuse"):
            raise Forbidden
        if data.get("break"):
            raise ZeroDivisionError
        return {"name": user.name, "said": data.get("say")}

    socketio.on_event("test:echo", live._handlers["test:echo"])
    yield "test:echo"
    del live._handlers["test:echo"]


@pytest.fixture
def listen(app):
    """`listen(browser)`: the socket of a page in that browser, as of its own process."""

    def listen(browser=None, **options):
        vars(g).clear()
        return socketio.test_client(app, flask_test_client=browser, **options)

    return listen


def say(socket, event, data):
    vars(g).clear()  # events of a server have a context of their own
    db.session.rollback()
    return socket.emit(event, data, callback=True)


def test_a_visitor_gets_no_socket(listen, client):
    assert not listen(client).is_connected()
    assert not listen(client, auth={"token": "hub_nonsense"}).is_connected()


def test_a_page_hears_its_own_person(listen, browse, partner, other_partner):
    mine, theirs = listen(browse(partner)), listen(browse(other_partner))
    live.announce(f"user:{partner.id}", "hello", {"n": 1})
    assert [event["name"] for event in mine.get_received()] == ["hello"]
    assert theirs.get_received() == []


def test_only_those_who_work_on_tickets_hear_the_inbox(listen, browse, partner, agent):
    at_work, outside = listen(browse(agent)), listen(browse(partner))
    assert say(at_work, "watch", {}) == {"ok": True}
    assert say(outside, "watch", {})["ok"] is False
    live.announce("inbox", "ticket")
    assert (len(at_work.get_received()), outside.get_received()) == (1, [])


def test_a_token_opens_a_socket(listen, agent, echo):
    with transaction():
        row, secret = tokens.create(agent, "a program")
    socket = listen(auth={"token": secret})
    assert say(socket, echo, {"say": "hi"}) == {"ok": True, "name": agent.name, "said": "hi"}
    with transaction():
        tokens.revoke(row)
    assert not socket.is_connected()


def test_answers_say_ok_or_why_not(listen, browse, partner, echo):
    socket = listen(browse(partner))
    assert say(socket, echo, {"say": "привет"}) == {"ok": True, "name": partner.name, "said": "привет"}
    assert say(socket, echo, {"refuse": True}) == {
        "ok": False,
        "error": "You do not have the right to do this.",
    }
    assert say(socket, echo, "not an object") == {"ok": True, "name": partner.name, "said": None}
    assert say(socket, echo, {"break": True})["ok"] is False


def test_disabling_closes_open_pages_at_once(listen, browse, partner, admin):
    socket = listen(browse(partner))
    with transaction():
        service.disable(admin, partner)
        assert socket.is_connected()
    assert not socket.is_connected()


def test_a_new_role_closes_open_pages(listen, browse, agent, admin):
    socket = listen(browse(agent))
    with transaction():
        service.change_role(admin, agent, service.STAFF[1])
    assert not socket.is_connected()


def test_ending_one_session_leaves_the_other_page_open(listen, browse, partner):
    here, there = browse(partner), browse(partner)
    first, second = listen(here), listen(there)
    with transaction():
        sessions.end(sessions.alive(partner)[0])
    assert [first.is_connected(), second.is_connected()] == [True, False]


def test_an_event_after_the_session_has_ended_is_refused(listen, browse, partner, echo, monkeypatch):
    socket = listen(browse(partner))
    monkeypatch.setattr(live, "disconnect", lambda _user: None)  # as if the news had been lost
    with transaction():
        sessions.end_all(partner)
    assert say(socket, echo, {"say": "still here?"})["ok"] is False
    assert not socket.is_connected()


def test_the_worker_closes_pages_through_the_web_process(app, listen, browse, partner, admin, monkeypatch):
    socket = listen(browse(partner))
    last = live._pass_on(None)
    monkeypatch.setitem(app.extensions, "hub.process", Process.WORKER)
    with transaction():
        service.disable(admin, partner)
    assert socket.is_connected()
    monkeypatch.setitem(app.extensions, "hub.process", Process.WEB)
    db.session.rollback()
    assert live._pass_on(last) > last
    assert not socket.is_connected()
    assert [event.event for event in db.session.query(LiveEvent)] == [live.CLOSE]


def test_pages_that_arrive_together_after_a_restart_are_all_let_in(app, monkeypatch):
    with transaction() as session:
        presence.beat()
        monkeypatch.setattr(
            type(session()), "get", lambda *_asked, **_how: None
        )  # another one has not committed yet
        presence.beat()
    assert db.session.query(presence.WebProcess).count() == 1
