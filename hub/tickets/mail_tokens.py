"""What proves that a mail answers one of ours: a token only we can make, in its ids and its address.

`t<ticket>.<user>.<seq>.<signature>` is the Message-ID of a mail that carries
messages out, and stands in its Reply-To behind a “+”.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr

from ..core.settings import settings

_TOKEN = re.compile(r"t(\d{1,10})\.(\d{1,10})\.(\d{1,10})\.([a-z2-7]{16})", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """Whose copy of what: the ticket's and the user's id, and the last `seq` that it carried."""

    ticket_id: int
    user_id: int
    seq: int

    def __str__(self) -> str:
        facts = f"t{self.ticket_id}.{self.user_id}.{self.seq}"
        return f"{facts}.{_signature(facts)}"


def inbox() -> str:
    """The address that answers come back to."""
    return (settings.mail_inbox or parseaddr(settings.mail_from)[1]).lower()


def our_addresses() -> tuple[str, ...]:
    return tuple(dict.fromkeys((inbox(), parseaddr(settings.mail_from)[1].lower())))


def reply_address(token: Token) -> str:
    local, _, domain = inbox().rpartition("@")
    return f"{local}+{token}@{domain}"


def in_ids(ids: Iterable[str]) -> Token | None:
    """The token of the newest of some Message-IDs that is one of ours."""
    found = [token for each in ids if (token := read(each.partition("@")[0]))]
    return found[-1] if found else None


def in_addresses(addresses: Iterable[str]) -> Token | None:
    """The token that a mail was sent to."""
    locals_ = (address.rpartition("@")[0] for address in addresses)
    return next(
        (token for local in locals_ if "+" in local and (token := read(local.partition("+")[2]))), None
    )


def read(text: str) -> Token | None:
    """The token if it is one and its signature is ours. Letters' case may have been lost on the way."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    ticket, user, seq = (int(match[n]) for n in (1, 2, 3))
    expected = _signature(f"t{ticket}.{user}.{seq}")
    if max(ticket, user, seq) >= 2**31 or not hmac.compare_digest(match[4].lower(), expected):
        return None
    return Token(ticket, user, seq)


def _signature(facts: str) -> str:
    digest = hmac.digest(settings.secret_key.encode(), f"ticket-mail:{facts}".encode(), hashlib.sha256)
    return base64.b32encode(digest[:10]).decode().lower()
