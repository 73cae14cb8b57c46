"""WebSockets by the thousand: what each of them may cost, and rings and bells that many events have in common."""

import base64
import socket
import struct
import threading
import time
from types import SimpleNamespace

import engineio
import pytest
from engineio.packet import MESSAGE, Packet

from hub.core import jobs, live
from hub.core.sockets import Outbox, WebSocket, WebSocketDoor, furnish

pytestmark = pytest.mark.once
HANDSHAKE = {
    "HTTP_HOST": "hub",
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "Upgrade",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate; client_max_window_bits",
}


@pytest.fixture
def opened():
    """`opened(handler)`: a browser's end of a WebSocket whose other end `handler` has, and the server's thread."""
    ends = []

    def opened(handler, largest=1_000_000, server=None):
        browser, hub = _pair()
        ends.extend((browser, hub))
        key = base64.b64encode(b"k" * 16).decode()
        environ = HANDSHAKE | {"HTTP_SEC_WEBSOCKET_KEY": key, "gunicorn.socket": hub}
        door = WebSocketDoor(handler, server or SimpleNamespace(max_http_buffer_size=largest))

        def serve():
            with pytest.raises(StopIteration):
                door(environ, None)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        return browser, thread

    yield opened
    for end in ends:
        end.close()


def _pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        browser = socket.create_connection(server.getsockname())
        return browser, server.accept()[0]


def frame(text: bytes, kind: int = 1) -> bytes:
    """A short frame as a browser sends it: masked, here with zeros."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + struct.pack(">H", len(text))
    return bytes([0x80 | kind]) + size + bytes(4) + text


def test_a_socket_needs_no_thread_of_its_own_and_compresses_nothing(opened):
    heard = []

    def handle(ws):
        before = threading.active_count()
        while (text := ws.wait()) is not None:
            heard.append((text, threading.active_count() - before))
            ws.send(text.upper())

    browser, thread = opened(handle)
    head = browser.recv(4096)
    assert head.startswith(b"HTTP/1.1 101")
    assert b"permessage-deflate" not in head.lower()
    browser.sendall(frame(b"one") + frame(b"two"))
    said = b""
    while len(said) < 10:
        said += browser.recv(4096)
    assert said == b"\x81\x03ONE\x81\x03TWO"
    browser.sendall(frame(b"", kind=8))
    thread.join(30)
    assert heard == [("one", 0), ("two", 0)]


def test_a_message_that_is_too_large_ends_its_socket_before_it_is_whole(opened):
    heard = []
    browser, thread = opened(lambda ws: heard.append(ws.wait()), largest=100)
    browser.sendall(frame(b"x" * 101))
    thread.join(30)
    assert heard == [None]


def test_who_does_not_read_keeps_nobody_waiting_and_gets_everything_in_order(opened):
    page, browser, thread = open_page(opened)
    said = [f"{number}:" + "x" * 5_000 for number in range(2_000)]  # more than a connection takes
    for text in said:
        page.send(Packet(MESSAGE, text))
    assert not page.queue.empty()
    heard = _until(browser, b"\r\n\r\n").partition(b"\r\n\r\n")[2]
    whole = b"".join(b"\x81\x7e" + struct.pack(">H", 1 + len(text)) + b"4" + text.encode() for text in said)
    halfway = b"\x81\x016"  # has the writer send the rest of what had left in part
    while len(heard.replace(halfway, b"")) < len(whole):
        heard += browser.recv(1_000_000)
    assert heard.replace(halfway, b"") == whole
    page.queue.put(None)
    browser.sendall(frame(b"", kind=8))
    thread.join(30)


def test_a_ping_is_answered_between_two_packets_and_never_inside_one(opened):
    page, browser, thread = open_page(opened)
    read = threading.Event()
    page.server.on("message", lambda _page, _text: read.set())
    browser.sendall(frame(b"quick", kind=9))
    heard = _until(browser, b"\x8a\x05quick").partition(b"\r\n\r\n")[2]
    while page.queue._is_idle:  # until one has left in part
        page.send(Packet(MESSAGE, "x" * 50_000))
    browser.sendall(frame(b"first", kind=9) + frame(b"last", kind=9) + frame(b"4all read"))
    assert read.wait(30)
    page.send(Packet(MESSAGE, "end"))
    heard += _until(browser, b"\x81\x044end")
    kinds = [(kind, text[:6]) for kind, text in _frames(heard)]
    assert kinds.count((10, b"last")) == 1
    assert {text for kind, text in kinds if kind == 1} <= {b"4xxxxx", b"6", b"4end"}
    browser.sendall(frame(b"", kind=8))
    thread.join(30)


def test_who_only_sends_pings_before_the_upgrade_keeps_nobody_waiting():
    ours, theirs = socket.socketpair()
    reader = WebSocket.__new__(WebSocket)
    reader.sock, reader.connected, reader._rest = ours, True, b""
    outbox = Outbox()
    outbox.leads_to(reader, SimpleNamespace(upgraded=False))
    pings = threading.Thread(target=lambda: [outbox.answer(b"\x8a\x7d" + bytes(125)) for _ in range(20_000)])
    pings.start()
    pings.join(30)
    assert not pings.is_alive()
    outbox.put(Packet(MESSAGE, "for whom it may concern"), block=False)
    theirs.close()
    ours.close()


def _frames(data: bytes):
    while data:
        kind, size, start = data[0] & 15, data[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start])
        yield kind, data[start : start + size]
        data = data[start + size :]


def open_page(opened):
    """A page of Engine.IO, its browser's end and the server's thread."""
    server = engineio.Server(async_mode="threading", monitor_clients=False)
    furnish(server)
    page = engineio.socket.Socket(server, "page")
    browser, thread = opened(page._websocket_handler, server=server)
    while not page.queue._is_idle:  # the writer waits for packets from here on: whoever has one may send it
        time.sleep(0.001)
    return page, browser, thread


def test_one_who_is_just_leaving_keeps_the_news_from_nobody(opened):
    leaving, browser, thread = open_page(opened)
    staying, listening, _thread = open_page(opened)
    web_socket, news = leaving.queue._socket, Packet(MESSAGE, "news")
    handled = web_socket._handle_events

    def interrupted():
        goes_on = handled()  # the Close frame is answered, and nobody but this thread knows
        for page in (leaving, staying):
            page.send(news)
        return goes_on

    web_socket._handle_events = interrupted
    browser.sendall(frame(b"", kind=8))
    listening.settimeout(10)
    _until(listening, b"\x81\x054news")
    thread.join(30)
    assert not thread.is_alive()


def test_a_page_that_is_gone_keeps_no_thread(opened):
    page, _browser, thread = open_page(opened)
    page.last_ping = 1  # and was never answered
    page.send(Packet(MESSAGE, "still there?"))
    thread.join(30)
    assert page.closed
    assert not thread.is_alive()


def _until(browser, end: bytes) -> bytes:
    read = b""
    while end not in read:
        read += browser.recv(65_536)
    return read


def test_what_is_rung_for_while_the_bell_is_busy_rings_once():
    rung, first, go_on, ended = [], threading.Event(), threading.Event(), threading.Event()

    def ring(name, arguments):
        rung.append((name, arguments))
        if len(rung) == 1:
            first.set()
            go_on.wait(30)
        elif name == "last":
            ended.set()

    app = SimpleNamespace(extensions={"hub.ring": ring})
    jobs.start_ringer(app, pause=0)
    app.extensions["hub.ring"]("mails", {})
    first.wait(30)
    for _ in range(100):
        app.extensions["hub.ring"]("mails", {})
    app.extensions["hub.ring"]("opened", {"key": 1})  # brings something along: never left out
    app.extensions["hub.ring"]("last", {})
    go_on.set()
    assert ended.wait(30)
    assert rung == [("mails", {}), ("opened", {"key": 1}), ("mails", {}), ("last", {})]


def test_a_number_that_changes_often_is_told_once_where_a_relay_runs(app, monkeypatch):
    told = []
    live.soon(told.append, [3])
    monkeypatch.setitem(app.extensions, "hub.relays", True)
    for ids in ([1, 2], [2, 1], [2]):
        live.soon(told.append, ids)
    assert told == [[3]]
    live._tell_soon()
    live._tell_soon()
    assert told == [[3], [1, 2]]
