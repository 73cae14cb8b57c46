"""A mailbox over IMAP: what is unread is handed over one by one, and then marked as read.

Reading never marks by itself: a process that ends in between leaves a mail
unread, and it is fetched again.
"""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

#: Seconds to wait for a connection and for each answer.
TIMEOUT = 30
#: Unread mails taken in one visit; the next visit takes the next.
MOST = 200


class MailboxAway(Exception):
    """The mailbox cannot be read now; the message says why."""


class Mailbox:
    """`imaps://user:password@host:993/INBOX`, or `imap://…`, which uses STARTTLS where it is offered.

    `?verify=no` accepts any certificate: for a server on the same machine.
    """

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self.folder = unquote(self.url.path.strip("/")) or "INBOX"
        self.tls = ssl.create_default_context()
        if parse_qs(self.url.query).get("verify") == ["no"]:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def __enter__(self) -> Self:
        try:
            self.imap = self._connect()
            self.imap.login(unquote(self.url.username or ""), unquote(self.url.password or ""))
            status, words = self.imap.select(f'"{self.folder}"')
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxAway(f"{self.url.hostname}: {error}") from error
        if status != "OK" or self.imap.is_readonly:
            raise MailboxAway(f"folder {self.folder}: {_text(words) or 'cannot be written to'}")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self.imap.logout()

    def unread(self, largest: int) -> Iterator[tuple[str, bytes, bool]]:
        """(uid, raw mail, whether whole) of what is unread, oldest first; beyond `largest` the head alone."""
        for uid in self._ask("SEARCH", "UNSEEN UNDELETED").split()[:MOST]:
            name = uid.decode()
            size = re.search(rb"RFC822\.SIZE (\d+)", self._ask("FETCH", name, "(RFC822.SIZE)"))
            if size is None:  # gone in the meantime
                continue
            is_whole = int(size[1]) <= largest
            raw = self._literal(name, "(BODY.PEEK[])" if is_whole else "(BODY.PEEK[HEADER])")
            if raw is not None:
                yield name, raw, is_whole

    def done(self, uid: str) -> None:
        """It is kept: mark it as read."""
        self._ask("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")

    def _connect(self) -> imaplib.IMAP4:
        host = self.url.hostname or ""
        if self.url.scheme == "imaps":
            return imaplib.IMAP4_SSL(host, self.url.port or 993, ssl_context=self.tls, timeout=TIMEOUT)
        imap = imaplib.IMAP4(host, self.url.port or 143, timeout=TIMEOUT)
        if "STARTTLS" in imap.capabilities:
            imap.starttls(self.tls)
        return imap

    def _ask(self, *command: str) -> bytes:
        answer = self._uid(*command)
        return b" ".join(part[0] if isinstance(part, tuple) else part for part in answer if part)

    def _literal(self, *arguments: str) -> bytes | None:
        return next((part[1] for part in self._uid("FETCH", *arguments) if isinstance(part, tuple)), None)

    def _uid(self, *command: str) -> list[Any]:
        try:
            status, answer = self.imap.uid(*command)
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxAway(str(error)) from error
        if status != "OK":
            raise MailboxAway(f"{command[0]}: {_text(answer)}")
        return answer


def _text(words: list[Any]) -> str:
    return " ".join(word.decode(errors="replace") for word in words if isinstance(word, bytes))
