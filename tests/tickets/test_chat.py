"""The same thread over Socket.IO."""

import pytest
from flask import g

from hub.core.database import db, transaction
from hub.core.extensions import socketio
from hub.tickets import service
from hub.tickets.models import Channel, Message, Status, Ticket

from .factories import an_id, make_ticket


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


@pytest.fixture
def connect(app, browse):
    """`connect(user)` is the user's open socket."""

    def connect(user):
        browser = browse(user)
        forget_who_it_was()
        return socketio.test_client(app, flask_test_client=browser)

    return connect


def forget_who_it_was():
    """Tests hold one application context, in which Flask-Login would remember the former socket's person."""
    g.pop("_login_user", None)


def ask(socket, event, data=None, **more):
    forget_who_it_was()
    return socket.emit(event, more or data, callback=True)


def heard(socket, name) -> list[dict]:
    return named(socket.get_received(), name)


def named(received, name) -> list[dict]:
    # The test client unpacks what comes with “message”, and with nothing else.
    args = [event["args"] for event in received if event["name"] == name]
    return [each[0] if isinstance(each, list) else each for each in args]


def test_joining_brings_what_was_missed(connect, cast, ticket):
    with transaction():
        service.reply(ticket, cast.agent, "Found it", seen=1, client_id=an_id())
    answer = ask(connect(cast.partner), "join", ticket=ticket.number, after=1)
    assert answer["ok"]
    assert [m["body"] for m in answer["messages"]] == ["Found it"]
    assert (answer["state"]["status"], answer["more"]) == ("waiting", False)


def test_what_is_sent_arrives_at_the_other_side(connect, cast, ticket):
    partner, agent = connect(cast.partner), connect(cast.agent)
    for socket in (partner, agent):
        assert ask(socket, "join", ticket=ticket.number, after=0)["ok"]
    assert ask(agent, "send", ticket=ticket.number, body="Found it", client_id="sock-0001", seen=1) == {
        "ok": True,
        "seq": 2,
    }
    received = partner.get_received()
    assert [m["body"] for m in named(received, "message")] == ["Found it"]
    states = [(state["status"], state["assignee"]) for state in named(received, "state")]
    assert states == [("waiting", cast.agent.name)]  # who answers first takes it on
    message = db.session.scalars(db.select(Message).where(Message.seq == 2)).one()
    assert message.channel is Channel.CHAT


def test_a_retry_is_acknowledged_alike_and_makes_no_twin(connect, cast, ticket):
    agent = connect(cast.agent)
    sent = {"ticket": ticket.number, "body": "Once", "client_id": "sock-0002", "seen": 1}
    assert ask(agent, "send", **sent) == ask(agent, "send", **sent) == {"ok": True, "seq": 2}


def test_a_note_reaches_the_team_alone(connect, cast, ticket):
    partner, agent = connect(cast.partner), connect(cast.agent)
    for socket in (partner, agent):
        ask(socket, "join", ticket=ticket.number, after=0)
    with transaction():
        service.note(ticket, cast.manager, "MARKER-NOTE", client_id=an_id())
    assert [m["visibility"] for m in heard(agent, "message")] == ["internal"]
    assert "MARKER-NOTE" not in str(partner.get_received())
    answer = ask(partner, "join", ticket=ticket.number, after=0)
    assert "MARKER-NOTE" not in str(answer)


def test_a_stranger_can_neither_join_nor_send(connect, cast, ticket):
    stranger = connect(cast.other_partner)
    for event, data in (
        ("join", {}),
        ("send", {"body": "Hi", "client_id": "sock-0003"}),
        ("typing", {}),
        ("read", {"seq": 1}),
    ):
        assert ask(stranger, event, ticket=ticket.number, **data)["ok"] is False
    assert db.session.get(Ticket, ticket.id, populate_existing=True).last_seq == 1
    ask(connect(cast.agent), "send", ticket=ticket.number, body="Hello", client_id="sock-0004", seen=1)
    assert heard(stranger, "message") == []


def test_a_visitor_is_turned_away_at_the_door(app):
    forget_who_it_was()
    assert not socketio.test_client(app).is_connected()


def test_someone_disabled_meanwhile_is_refused(connect, cast, ticket):
    partner = connect(cast.partner)
    assert ask(partner, "join", ticket=ticket.number, after=0)["ok"]
    with transaction():
        db.session.get(type(cast.partner), cast.partner.id).disabled_at = ticket.created_at
    assert ask(partner, "send", ticket=ticket.number, body="Still here", client_id="sock-0005")["ok"] is False


def test_typing_is_seen_by_the_others_but_not_while_noting(connect, cast, ticket):
    partner, agent = connect(cast.partner), connect(cast.agent)
    for socket in (partner, agent):
        ask(socket, "join", ticket=ticket.number, after=0)
    ask(agent, "typing", ticket=ticket.number, internal=True)
    assert heard(partner, "typing") == []
    ask(agent, "typing", ticket=ticket.number)
    assert [event["name"] for event in heard(partner, "typing")] == [cast.agent.name]


def test_reading_is_told_to_the_writer(connect, cast, ticket):
    partner, agent = connect(cast.partner), connect(cast.agent)
    for socket in (partner, agent):
        ask(socket, "join", ticket=ticket.number, after=0)
    ask(agent, "read", ticket=ticket.number, seq=1)
    assert [(mark["seq"], mark["user"]) for mark in heard(partner, "read")] == [(1, cast.agent.id)]


@pytest.mark.parametrize(
    "data", [None, "x", [], {"ticket": "1"}, {"ticket": -1}, {"ticket": 2**70}, {"ticket": True}]
)
def test_nonsense_is_refused_politely(connect, cast, ticket, data):
    assert ask(connect(cast.agent), "join", data)["ok"] is False


def test_a_closed_ticket_takes_nothing_more_of_the_team(connect, cast, ticket):
    with transaction():
        service.set_status(ticket, cast.agent, Status.CLOSED)
    answer = ask(
        connect(cast.agent), "send", ticket=ticket.number, body="Hello", client_id="sock-0006", seen=1
    )
    assert answer["ok"] is False
    assert "closed" in answer["error"]


@pytest.mark.parametrize("body", ["a\x00b", "a\ud800b"])
def test_what_no_database_takes_is_left_out_of_a_message(connect, cast, ticket, body):
    socket = connect(cast.partner)
    sent = {"ticket": ticket.number, "body": body, "client_id": "odd-letters", "seen": 1}
    assert ask(socket, "send", sent)["ok"]
    assert ask(socket, "join", {"ticket": ticket.number})["messages"][-1]["body"] in ("ab", "a?b")
