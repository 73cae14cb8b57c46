"""Signing mails, so that whoever gets them can see that they are from this domain, unchanged (RFC 6376).

The library at hand for it, dkimpy, computes RSA in Python: thirty times as slow, which a newsletter pays for every
reader. What is signed is checked with it in the tests.
"""

import base64
import hashlib
import re
import textwrap
from pathlib import Path

from .. import clock
from .backend import Misconfigured
from .compose import sender_domain

#: What is signed where a mail has it; RFC 8058, 4: whoever offers to unsubscribe in one click signs that, too.
HEADERS = (
    *("from", "to", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-language", "list-id", "list-unsubscribe"),
    "list-unsubscribe-post",
)


class Signer:
    """The key of the sender's domain, published under `SELECTOR._domainkey.DOMAIN`."""

    def __init__(self, key: Path, selector: str) -> None:
        # Imported here: it is large, and only a hub that signs needs it.
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            private = load_pem_private_key(key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise Misconfigured(f"HUB_DKIM_KEY: {error}") from error
        if not isinstance(private, RSAPrivateKey):
            raise Misconfigured("HUB_DKIM_KEY is not an RSA key")
        self._sign = lambda octets: private.sign(octets, PKCS1v15(), SHA256())
        self.selector = selector

    def signed(self, message: bytes) -> bytes:
        """The message with its signature on top."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in HEADERS if name in fields]
        # “from” once more than there is one: whoever adds another breaks the signature.
        facts = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={sender_domain()}; s={self.selector};\r\n"
            f" t={int(clock.now().timestamp())}; h={':'.join([*names, 'from'])};\r\n"
            f" bh={_base64(hashlib.sha256(_relaxed(body)).digest())};\r\n b="
        )
        lines = [f"{name}:{fields[name]}\r\n" for name in names]
        own = f"dkim-signature:{_collapsed(facts)}"
        signature = _base64(self._sign(("".join(lines) + own).encode()))
        folded = "\r\n ".join(textwrap.wrap(signature, 72))
        return f"DKIM-Signature: {facts}{folded}\r\n".encode() + message


def _fields(head: bytes) -> dict[str, str]:
    """Header fields in their relaxed form (RFC 6376, 3.4.2), by name."""
    pairs = (line.partition(":") for line in re.split(r"\r\n(?![ \t])", head.decode()))
    return {name.strip().lower(): _collapsed(value) for name, _colon, value in pairs}


def _collapsed(value: str) -> str:
    """On one line, with single spaces; every other kind of space is a letter like any."""
    return re.sub(r"[ \t]+", " ", value.replace("\r\n", "")).strip(" \t")


def _relaxed(body: bytes) -> bytes:
    """The body in its relaxed form (RFC 6376, 3.4.4)."""
    body = re.sub(rb"[ \t]{2,}|\t", b" ", body).replace(b" \r\n", b"\r\n")
    return body.rstrip(b"\r\n") + b"\r\n" if body.strip(b"\r\n") else b""


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
