"""Do the links of a newsletter answer? The worker asks, and never a machine of our own network.

A link is tried once, at an address that was looked at before: one that leads into a private network is
refused, and a redirect is not followed, for it could lead there.
"""

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import SplitResult, quote, urlsplit

from sqlalchemy import select, update

from ..core import clock
from ..core.database import db
from ..core.jobs import ring
from ..core.settings import settings
from .models import LinkCheck, Newsletter

SECONDS = 6.0
#: What was found out holds so long.
GOOD_FOR = timedelta(hours=12)
#: Of one run of the job.
MOST = 50
PRIVATE, UNKNOWN_HOST, SILENT, REFUSED = "private", "unknown_host", "silent", "refused"

_LINK = re.compile(r"\]\(\s*<?(https?://[^)\s>]+)")
#: Addresses of the old internet as seen from the new one (RFC 6052): they may stand for private ones.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def outside(newsletter: Newsletter) -> list[str]:
    """Addresses in its texts that are not the hub's, and hold no word of the reader."""
    found = [url for each in newsletter.written for url in _LINK.findall(each.body)]
    ours = settings.base_url + "/"
    return [url for url in dict.fromkeys(found) if not (url + "/").startswith(ours) and "{" not in url]


def ask(newsletter: Newsletter, *, again: bool = False) -> None:
    """Have the links tried that were not tried lately, or all of them again."""
    urls = outside(newsletter)
    known = {each.url: each for each in db.session.scalars(select(LinkCheck).where(LinkCheck.url.in_(urls)))}
    now = clock.now()
    for url in urls:
        check = known.get(url)
        if check is None:
            db.session.add(LinkCheck(url=url))
        elif again or (check.checked_at and now - check.checked_at > GOOD_FOR):
            check.asked_at, check.checked_at = now, None
        else:
            continue
        ring("newsletters.links")
    db.session.flush()


def results(newsletter: Newsletter) -> list[LinkCheck]:
    """What is known about its links."""
    return list(db.session.scalars(select(LinkCheck).where(LinkCheck.url.in_(outside(newsletter)))))


def due() -> list[LinkCheck]:
    waiting = select(LinkCheck).where(LinkCheck.checked_at.is_(None)).order_by(LinkCheck.id).limit(MOST)
    return list(db.session.scalars(waiting))


def record(check: LinkCheck, status: int | None, problem: str | None) -> None:
    """Write down an answer, unless it was asked for again meanwhile."""
    mine = (LinkCheck.id == check.id, LinkCheck.checked_at.is_(None), LinkCheck.asked_at == check.asked_at)
    found = {"checked_at": clock.now(), "status": status, "problem": problem}
    db.session.execute(update(LinkCheck).where(*mine).values(found))


def attempt(url: str) -> tuple[int | None, str | None]:
    """(HTTP status, None), or (None, what went wrong)."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode()
        addresses = {each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (ValueError, OSError):
        return None, UNKNOWN_HOST
    if not is_public(str(each) for each in addresses):
        return None, PRIVATE
    try:
        status = _status(parts, host, str(sorted(map(str, addresses))[0]), port, "HEAD")
        if status in (403, 404, 405, 501):  # some answer GET only
            status = _status(parts, host, str(sorted(map(str, addresses))[0]), port, "GET")
    except TimeoutError:
        return None, SILENT
    except (OSError, http.client.HTTPException):
        return None, REFUSED
    return status, None


def is_public(addresses: Iterable[str]) -> bool:
    """Are all of these addresses of the open internet?"""
    return all(_is_public(ipaddress.ip_address(each.partition("%")[0])) for each in addresses)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was looked at: a second look-up could answer otherwise."""

    def __init__(self, host: str, port: int, address: str, is_secure: bool) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self.address, self.is_secure = address, is_secure

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.is_secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _status(parts: SplitResult, host: str, address: str, port: int, method: str) -> int:
    connection = _Pinned(host, port, address, parts.scheme == "https")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
        "?" + quote(parts.query, safe="=&%:@!$'()*+,;/?~-._") if parts.query else ""
    )
    try:
        connection.request(method, target, headers={"User-Agent": "PartnerHub link check"})
        return connection.getresponse().status
    finally:
        connection.close()
