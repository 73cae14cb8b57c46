"""A browser's bare minimum: one kept connection, cookies, and the sign-in form."""

import http.client
import re
import socket
import statistics
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit


class Client:
    """Speaks HTTP/1.1 over one connection and remembers cookies."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies: dict[str, str] = {}
        self.connect()

    def connect(self) -> None:
        """Open the connection, or another one when it is gone."""
        address = urlsplit(self.base)
        self.connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, http.client.HTTPMessage]:
        """Send one request and read the whole answer."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Cookie": cookie, "Accept": "text/html", "Accept-Language": "en", **(headers or {})}
        try:
            self.connection.request(method, path, body, sent)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server does not wait for ever for the next request on a kept connection.
            self.connect()
            self.connection.request(method, path, body, sent)
            answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for header in answer.headers.get_all("Set-Cookie") or []:
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
        return answer.status, text, answer.headers

    def get(self, path: str, *, expected: int = 200, **headers: str) -> str:
        """Return the page; anything but the expected status is an error."""
        status, text, _ = self.request("GET", path, headers=headers)
        if status != expected:
            raise RuntimeError(f"GET {path} answered {status}")
        return text

    def sign_in(self, path: str, email: str, password: str) -> None:
        """Fill in the sign-in form."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path))
        form = {"csrf_token": token.group(1) if token else "", "email": email, "password": password}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": self.base + path}
        status, _, _ = self.request("POST", path, urlencode(form), headers)
        if status not in (302, 303):
            raise RuntimeError(f"signing in as {email} answered {status}")


def interleaved(
    pages: dict[str, tuple[Client, str]], rounds: int, warm_up: int, status: dict[str, int] | None = None
) -> dict[str, float]:
    """Return each page's median time in milliseconds, asking for all of them in turn.

    `status` names the pages that answer otherwise than 200. Asking in turn spreads whatever else the machine does over all pages alike.
    """
    times: dict[str, list[float]] = {name: [] for name in pages}
    expected = status or {}
    for number in range(warm_up + rounds):
        for name, (client, path) in pages.items():
            start = time.perf_counter()
            client.get(path, expected=expected.get(name, 200))
            elapsed = time.perf_counter() - start
            if number >= warm_up:
                times[name].append(elapsed * 1000)
    return {name: statistics.median(values) for name, values in times.items()}
