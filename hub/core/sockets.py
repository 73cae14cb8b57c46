"""WebSockets of which a thousand may be open at once: what comes and goes wakes no other thread, and nothing is compressed."""

import queue
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import simple_websocket
from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from engineio.packet import NOOP, Packet
from wsproto import ConnectionType, WSConnection
from wsproto.events import Event, Message, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

#: Seconds that a page may take nothing of what waits for it. Then its connection, and the threads it has, are let go.
UNREAD = 60


class _NotNeeded(threading.Thread):
    """The library's own thread for what arrives: the one that waits for it reads it itself."""

    def start(self) -> None:
        """Stay unborn."""


class _Protocol(WSConnection):
    """WebSocket's protocol; answers to pings are told apart, which the library would send in the middle of anything."""

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        super().__init__(ConnectionType.SERVER)
        self._answer = answer

    def send(self, event: Event) -> bytes:
        data = super().send(event)
        if not isinstance(event, Pong):
            return data
        self._answer(data)
        return b""


class WebSocket(simple_websocket.Server):
    """What arrives is read by the thread that handles it: nobody is woken to wake another one."""

    connected: bool
    outbox: "Outbox | None" = None

    def __init__(self, environ: dict[str, Any], **options: Any) -> None:
        self._rest = self._pong = b""
        self._taking = threading.Lock()
        # A compressor keeps a quarter of a megabyte for each page, for messages of a few hundred bytes.
        plain = {name: value for name, value in environ.items() if name != "HTTP_SEC_WEBSOCKET_EXTENSIONS"}
        super().__init__(plain, thread_class=_NotNeeded, **options)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD * 1000)

    def handshake(self) -> None:
        """Agree with the browser on a WebSocket."""
        self.ws = _Protocol(self._answer)
        super().handshake()

    def receive(self, timeout: float | None = None) -> Any:
        """The next message; ConnectionClosed once there will be none. Waits for as long as it takes."""
        while self.connected and not self.input_buffer:
            try:
                data = self.sock.recv(self.receive_bytes)
                if data:
                    self.ws.receive_data(data)
                self.connected = bool(data) and self._handle_events()
            except (OSError, LocalProtocolError):
                self.connected = False
        if self.input_buffer:
            return self.input_buffer.pop(0)
        self.sock.close()
        raise simple_websocket.ConnectionClosed(self.close_reason, self.close_message)

    def send(self, data: str | bytes) -> None:
        """Send a message and wait until all of it has left."""
        if not self.connected:
            raise simple_websocket.ConnectionClosed(self.close_reason, self.close_message)
        with self._taking:
            before = self._rest + self._pong
            self._rest = self._pong = b""
        self.sock.sendall(before + self._frame(data))

    def send_now(self, packet: Packet) -> bool:
        """Send a packet if that keeps nobody waiting; False when the page takes no more just now."""
        try:
            # The same for all who get it: a room of twenty costs one.
            packet.frame = frame = getattr(packet, "frame", None) or self._frame(packet.encode())
            sent = self.connected and self.sock.send(frame, socket.MSG_DONTWAIT)
        except (OSError, LocalProtocolError):  # one who is leaving keeps nobody else from hearing it
            return False
        self._rest = frame[sent:] if sent else b""
        return sent == len(frame)

    def _answer(self, pong: bytes) -> None:
        if self.outbox is None:
            self.sock.sendall(pong)
        else:
            self.outbox.answer(pong)

    def keep(self, pong: bytes) -> bool:
        """Send this Pong before the next message, instead of one that waits already; False if one did.

        The last is enough: who sends pings and reads nothing must not fill our memory.
        """
        with self._taking:
            is_first = not self._pong
            self._pong = pong
        return is_first

    def close(self, reason: Any = None, message: str | None = None) -> None:
        """Say goodbye, and wake the thread that reads: a page that is gone never answers."""
        with suppress(OSError, LocalProtocolError, simple_websocket.ConnectionClosed):
            super().close(reason, message)
        self.cut()

    def cut(self) -> None:
        """End the connection without a word."""
        self.connected = False
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    @property
    def is_halfway(self) -> bool:
        """Has a part of a packet left, which nothing may come after but its rest?"""
        return bool(self._rest)

    def _frame(self, data: str | bytes) -> bytes:
        whole = Message(data) if isinstance(data, bytes) else TextMessage(data)
        return self.ws.send(whole)


class Outbox(queue.Queue[Any]):
    """Packets for a page. While the page keeps up, whoever has one sends it; what it cannot take waits for its writer.

    Another thread of its own that is woken for every packet costs more than the packet does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._page: Any = None
        self._socket: WebSocket | None = None
        self._sending = threading.Lock()
        self._is_idle = False  # all has left, and the writer waits

    def leads_to(self, web_socket: WebSocket, page: Any) -> None:
        """From its upgrade on, the page has this WebSocket."""
        self._socket, self._page = web_socket, page
        web_socket.outbox = self

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Send a packet, or keep it for the writer. None ends the writer."""
        with self._sending:
            if self._is_idle and self._socket is not None and item is not None:
                if self._socket.send_now(item):
                    return
                if self._socket.is_halfway:
                    item = Packet(NOOP)  # has the writer send the rest
            self._is_idle = False
            super().put(item)

    def answer(self, pong: bytes) -> None:
        """Send a Pong: at once while the page keeps up, or else where one packet ends and the next begins."""
        assert self._socket is not None
        packet = Packet(NOOP)
        packet.frame = pong
        with self._sending:
            if not self._page.upgraded:  # nobody else sends over it yet, and who takes no Pong gets none
                if not self._socket.send_now(packet) and self._socket.is_halfway:
                    self._socket.cut()
                return
            if self._is_idle and self._socket.send_now(packet):
                return
            if (self._socket.is_halfway and self._is_idle) or self._socket.keep(pong):
                self._is_idle = False
                super().put(Packet(NOOP))  # has the writer send it

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """What waits to be sent. Over a WebSocket only its writer asks, and waits until it has something to do."""
        if not block or self._page is None or not self._page.upgraded:
            return super().get(block, timeout)
        with self._sending:
            self._is_idle = self.empty()
        return super().get()


class WebSocketDoor(SimpleWebSocketWSGI):
    """The library's door, with these sockets."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server, max_message_size=server.max_http_buffer_size)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.ws = WebSocket(environ, **self.server_args)
        page = getattr(self.app, "__self__", None)
        if page is not None and isinstance(page.queue, Outbox):
            page.queue.leads_to(self.ws, page)
        self.app(self)
        if self.ws.mode == "gunicorn":
            raise StopIteration  # the connection is no longer the web server's
        raise ConnectionError


def furnish(server: Any) -> None:
    """Let an Engine.IO server open its WebSockets this way."""
    server._async = server._async | {"websocket": WebSocketDoor, "queue": Outbox}
