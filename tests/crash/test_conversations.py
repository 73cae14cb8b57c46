"""Conversations under fire: processes killed around a message, several processes, other people's clients."""

import json
import subprocess
import time
from http.client import RemoteDisconnected
from pathlib import Path
from queue import Empty, Queue
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
import socketio

from hub.accounts import tokens
from hub.core.database import db, transaction
from hub.tickets.models import Message
from tests import servers
from tests.tickets.factories import make_ticket

from .web import ROOT, web_process

pytestmark = pytest.mark.crash

PATIENCE = 60  # seconds: a web process starts again meanwhile


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


@pytest.fixture
def token(app):
    """`token(user)` opens the API and the socket for a program of the user's."""

    def token(user):
        with transaction():
            return tokens.create(user, "test")[1]

    return token


class Program:
    """A client as the README describes it: joins after every connect, sends until it is acknowledged."""

    def __init__(self, base, token, ticket):
        self.ticket, self.news = ticket.number, Queue()
        self.messages, self.lost_lines = {}, 0
        self.io = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1)
        self.io.on("connect", self.join)
        self.io.on("disconnect", self.note_lost_line)
        self.io.on("message", self.take)
        for event in ("state", "typing", "read", "presence"):
            self.io.on(event, lambda data, event=event: self.news.put((event, data)))
        self.io.connect(base, auth={"token": token}, transports=["websocket"], wait_timeout=PATIENCE)

    def note_lost_line(self, *_reason):
        self.lost_lines += 1

    def take(self, message):
        self.messages[message["seq"]] = message["body"]
        self.news.put(("message", message))

    def join(self):
        self.io.emit(
            "join", {"ticket": self.ticket, "after": max(self.messages, default=0)}, callback=self.joined
        )

    def joined(self, answer):
        for message in answer["messages"]:
            self.messages[message["seq"]] = message["body"]
        self.news.put(("joined", answer))

    def send(self, body, client_id, seen=99):
        """The acknowledgement; a lost one is asked for again with the same id."""
        sent = {"ticket": self.ticket, "body": body, "client_id": client_id, "seen": seen}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                return self.io.call("send", sent, timeout=3)
            except (socketio.exceptions.SocketIOError, ConnectionError):
                time.sleep(0.1)
        raise AssertionError("never acknowledged")

    def wait(self, event, matches=lambda data: True):
        """The next event of this kind that matches."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                name, data = self.news.get(timeout=1)
            except Empty:
                continue
            if name == event and matches(data):
                return data
        raise AssertionError(f"no {event}")


def kept(ticket):
    """Seqs and texts in the database."""
    db.session.rollback()
    rows = db.session.execute(
        db.select(Message.seq, Message.body).where(Message.ticket_id == ticket.id).order_by(Message.seq)
    )
    return [tuple(row) for row in rows]


def post(url, token, body):
    """The API's answer, asked for again with the same id until there is one."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=10) as answer:
                return json.load(answer)
        except HTTPError:
            raise
        except (URLError, RemoteDisconnected, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError("never answered")


def test_killed_before_the_commit_a_chat_message_is_sent_again_and_kept_once(cast, ticket, token):
    with web_process(HUB_CRASH_AT="message_written:2") as base:
        program = Program(base, token(cast.partner), ticket)
        program.wait("joined")
        assert program.send("One", "id-1") == {"ok": True, "seq": 2}
        assert program.send("Two", "id-2") == {"ok": True, "seq": 3}  # the process dies around this one
        assert program.lost_lines == 1
        program.io.disconnect()
    assert kept(ticket) == [(1, "Order 48213 is not in my earnings."), (2, "One"), (3, "Two")]


def test_killed_after_the_commit_a_reply_is_not_kept_twice(cast, ticket, token):
    with web_process(HUB_CRASH_AT="message_committed:2") as base:
        address, secret = f"{base}/api/v1/tickets/{ticket.number}/messages", token(cast.partner)
        assert post(address, secret, {"body": "One", "client_id": "id-1"})["seq"] == 2
        assert post(address, secret, {"body": "Two", "client_id": "id-2"})["seq"] == 3
    assert kept(ticket) == [(1, "Order 48213 is not in my earnings."), (2, "One"), (3, "Two")]


@pytest.mark.once
def test_a_message_reaches_a_client_of_another_process(cast, ticket, token):
    redis = servers.Servers()
    try:
        url = redis.start_redis() + "1"
        with web_process(HUB_REDIS_URL=url) as here, web_process(HUB_REDIS_URL=url) as there:
            partner, agent = (
                Program(here, token(cast.partner), ticket),
                Program(there, token(cast.agent), ticket),
            )
            partner.wait("joined")
            agent.wait("joined")
            assert partner.send("Over the bridge", "id-1")["seq"] == 2
            assert agent.wait("message")["body"] == "Over the bridge"
            agent.io.emit("typing", {"ticket": ticket.number})
            assert partner.wait("typing")["name"] == cast.agent.name
            agent.io.emit("read", {"ticket": ticket.number, "seq": 2})
            assert partner.wait("read", lambda mark: mark["user"] == cast.agent.id)["seq"] == 2
            for program in (partner, agent):
                program.io.disconnect()
    finally:
        redis.stop()


@pytest.mark.once
def test_the_official_javascript_client_speaks_with_the_hub(cast, ticket, token):
    assert (ROOT / "node_modules" / "socket.io-client").exists(), "npm ci installs it"
    with web_process() as base:
        program = Program(base, token(cast.agent), ticket)
        program.wait("joined")
        node = subprocess.Popen(
            ["node", Path(__file__).with_name("client.mjs"), base, token(cast.partner), str(ticket.number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        heard = (json.loads(line) for line in node.stdout)
        try:
            joined = next(heard)["joined"]
            assert (joined["ok"], [m["seq"] for m in joined["messages"]]) == (True, [1])
            assert joined["state"]["last_seq"] == 1
            assert next(heard)["sent"] == [{"ok": True, "seq": 2}, {"ok": True, "seq": 2}]
            assert next(heard)["refused"]["ok"] is False
            assert program.wait("message")["body"] == "From JavaScript"
            program.send("From Python", "id-1")
            assert [m["body"] for m in next(heard)["messages"]] == ["From JavaScript", "From Python"]
            assert next(heard)["state"]["status"] == "waiting"
        finally:
            node.stdin.close()
            assert node.wait(20) == 0
            program.io.disconnect()
