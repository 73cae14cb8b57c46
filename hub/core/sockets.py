"""WebSockets of which a thousand may be open at once: two threads each instead of three, and nothing compressed."""

import socket
import threading
from typing import Any

import simple_websocket
from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from wsproto.utilities import LocalProtocolError


class _NotNeeded(threading.Thread):
    """The library's own thread for what arrives: the one that waits for it reads it itself."""

    def start(self) -> None:
        """Stay unborn."""


class WebSocket(simple_websocket.Server):
    """What arrives is read by the thread that handles it: nobody is woken to wake another one."""

    connected: bool

    def __init__(self, environ: dict[str, Any], **options: Any) -> None:
        # A compressor keeps a quarter of a megabyte for each page, for messages of a few hundred bytes.
        plain = {name: value for name, value in environ.items() if name != "HTTP_SEC_WEBSOCKET_EXTENSIONS"}
        super().__init__(plain, thread_class=_NotNeeded, **options)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

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


class WebSocketDoor(SimpleWebSocketWSGI):
    """The library's door, with these sockets."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server, max_message_size=server.max_http_buffer_size)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.ws = WebSocket(environ, **self.server_args)
        self.app(self)
        if self.ws.mode == "gunicorn":
            raise StopIteration  # the connection is no longer the web server's
        raise ConnectionError


def furnish(server: Any) -> None:
    """Let an Engine.IO server open its WebSockets this way."""
    server._async = server._async | {"websocket": WebSocketDoor}
