"""The ways out: a folder of files, an SMTP server, SendGrid. Chosen by `HUB_MAIL_URL`.

Each `send` returns when the far end has taken the letter, or says exactly how
it failed; above all whether the letter may have been taken nevertheless.
"""

import contextlib
import os
import re
import smtplib
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from python_http_client.exceptions import HTTPError

from ..crash import crash_point
from ..settings import Settings, settings
from .compose import Letter

#: Seconds to wait for a connection and for each answer.
CONNECT_TIMEOUT = 10
ANSWER_TIMEOUT = 30


class NotSent(Exception):
    """A letter did not certainly arrive; the subclass says what that means."""


class Later(NotSent):
    """Certainly not taken, and it may be next time: busy, greylisted, no connection."""


class Unreachable(Later):
    """The server cannot be spoken to: trying the next letter now would meet the same."""


class Refused(NotSent):
    """Certainly not taken, and it never will be: no such mailbox."""


class Misconfigured(Later):
    """Nothing can be sent until a person corrects the settings: wrong key, wrong password."""


class Unknown(NotSent):
    """It may or may not have been taken: the line broke before the answer."""


class Backend(ABC):
    #: Sending the same letter again does nothing, so after a crash it may be repeated.
    repeatable = False

    @abstractmethod
    def send(self, letter: Letter) -> None:
        """Hand over a letter. Raises NotSent."""

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Let go of what is kept open."""


class Outbox(Backend):
    """One file per letter under `HOME/outbox`, named after its Message-ID."""

    repeatable = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, letter: Letter) -> None:
        target = self.folder / f"{letter.key}.eml"
        if target.exists():
            return
        half = target.with_suffix(f".{os.getpid()}.part")
        try:
            half.write_bytes(letter.as_bytes())
            crash_point("outbox_half")
            half.rename(target)
        except OSError as error:
            raise Unreachable(f"outbox: {error.strerror}") from error


class Smtp(Backend):
    """A kept connection to an SMTP server; STARTTLS whenever it is offered."""

    def __init__(self, url: SplitResult) -> None:
        self.url = url
        self.is_tls = url.scheme == "smtps"
        self.port = url.port or (465 if self.is_tls else 25)
        self.tls = ssl.create_default_context()
        if parse_qs(url.query).get("verify") == ["no"]:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.connection: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> None:
        message = letter.as_bytes()
        kept = self.connection is not None
        try:
            self._hand_over(letter.address, message)
        except _Stale:
            # A kept connection may have been closed in the meantime; nothing was handed over yet.
            if not kept:
                raise Unreachable("the server closed the connection") from None
            try:
                self._hand_over(letter.address, message)
            except _Stale as again:
                raise Unreachable(str(again)) from again

    def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()

    def _hand_over(self, address: str, message: bytes) -> None:
        smtp = self.connection or self.connect()
        with self._before_data():
            options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
            _expect(smtp.mail(parseaddr(settings.mail_from)[1], options))
            _expect(smtp.rcpt(address))
            _expect(smtp.docmd("DATA"), 354)
        if not options:
            message = message_from_bytes(message, policy=SMTP_POLICY).as_bytes(
                policy=SMTP_POLICY.clone(cte_type="7bit")
            )
        crash_point("before_data")
        try:
            smtp.send(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
            crash_point("after_data")
            answer = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise Unknown(f"no answer after the message: {error}") from error
        if answer[0] == 421:
            self._drop()
        _expect(answer)

    def connect(self) -> smtplib.SMTP:
        try:
            kind: Any = smtplib.SMTP_SSL if self.is_tls else smtplib.SMTP
            extra = {"context": self.tls} if self.is_tls else {}
            smtp = kind(self.url.hostname, self.port, timeout=CONNECT_TIMEOUT, **extra)
            smtp.ehlo_or_helo_if_needed()
            if not self.is_tls and smtp.has_extn("starttls"):
                smtp.starttls(context=self.tls)
                smtp.ehlo()
            if self.url.username:
                smtp.login(unquote(self.url.username), unquote(self.url.password or ""))
            smtp.sock.settimeout(ANSWER_TIMEOUT)
        except smtplib.SMTPAuthenticationError as error:
            raise (Unreachable if error.smtp_code < 500 else Misconfigured)(
                f"sign-in: {error.smtp_code} {_words(error.smtp_error)}"
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Misconfigured(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"connection: {error}") from error
        self.connection = smtp
        return smtp

    @contextlib.contextmanager
    def _before_data(self) -> Iterator[None]:
        """Until DATA nothing is handed over: what breaks here can be tried again."""
        try:
            yield
        except smtplib.SMTPServerDisconnected as error:
            self._drop()
            raise (
                Unreachable("no answer in time")
                if isinstance(error.__context__, TimeoutError)
                else _Stale(str(error))
            ) from error
        except OSError as error:
            self._drop()
            raise _Stale(str(error)) from error
        except NotSent as error:
            if str(error).startswith("421"):
                self._drop()
                raise
            self._reset()
            raise

    def _reset(self) -> None:
        try:
            if self.connection is not None:
                self.connection.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _Stale(Exception):
    """The connection was gone before the message was handed over."""


def _words(reply: bytes | str) -> str:
    return (reply.decode(errors="replace") if isinstance(reply, bytes) else reply)[:300]


def _expect(answer: tuple[int, bytes], good: int = 250) -> None:
    code, words = answer
    if code == good or (good == 250 and code == 251):
        return
    text = f"{code} {_words(words)}"
    if code in (530, 535, 538):  # RFC 4954: the server wants us to sign in first
        raise Misconfigured(text)
    raise Refused(text) if 500 <= code < 600 else Later(text)


class SendGrid(Backend):
    """SendGrid's Web API v3; its id for a letter is ours, in `custom_args`."""

    def __init__(self, key: str, host: str) -> None:
        # Imported here: it is large, and only a hub that sends through SendGrid needs it.
        from sendgrid import SendGridAPIClient

        self.api = SendGridAPIClient(api_key=key, host=host)
        self.api.client.timeout = ANSWER_TIMEOUT

    def send(self, letter: Letter) -> None:
        try:
            self.api.client.mail.send.post(request_body=self._request(letter))
        except HTTPError as error:
            raise _meaning(error.status_code, _words(error.body)) from error
        except URLError as error:
            # Only a connection that was never made is certain; the rest may have been heard.
            unheard = isinstance(
                error.reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError
            )
            raise (Unreachable if unheard else Unknown)(f"connection: {error.reason}") from error
        except (OSError, ValueError) as error:
            raise Unknown(f"connection: {error}") from error

    def _request(self, letter: Letter) -> dict[str, Any]:
        letter.as_bytes()  # the same guards for every backend
        name, address = parseaddr(settings.mail_from)
        others = {
            k: v for k, v in letter.all_headers().items() if k not in ("From", "To", "Subject", "Reply-To")
        }
        to = {"email": letter.address} | ({"name": letter.name} if letter.name else {})
        request: dict[str, Any] = {
            "from": {"email": address, "name": name},
            "personalizations": [{"to": [to], "headers": others, "custom_args": {"hub_id": letter.key}}],
            "subject": letter.subject,
            "content": [
                {"type": "text/plain", "value": letter.text},
                {"type": "text/html", "value": letter.html},
            ],
            "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
        }
        if "Reply-To" in letter.headers:
            reply_name, reply_to = parseaddr(letter.headers["Reply-To"])
            request["reply_to"] = {"email": reply_to} | ({"name": reply_name} if reply_name else {})
        return request


def _meaning(status: int, words: str) -> NotSent:
    text = f"{status} {words}"
    if status in (401, 403):
        return Misconfigured(text)
    if status in (429, 503):
        return Later(text)
    return Unknown(text) if status >= 500 else Refused(text)


def make_backend(settings: Settings) -> Backend:
    """The backend that `HUB_MAIL_URL` names."""
    scheme, _, rest = settings.mail_url.partition(":")
    if scheme == "outbox":
        return Outbox(settings.home / "outbox")
    if scheme in ("smtp", "smtps"):
        return Smtp(urlsplit(settings.mail_url))
    if scheme == "sendgrid":
        return SendGrid(rest.lstrip("/"), settings.sendgrid_url)
    raise Misconfigured(f"HUB_MAIL_URL: {scheme} is not known")


@contextlib.contextmanager
def open_backend() -> Iterator[Backend]:
    """The backend of this hub, its connection kept for the length of the block."""
    backend = make_backend(settings)
    try:
        yield backend
    finally:
        backend.close()
