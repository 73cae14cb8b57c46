"""SMTP over a kept connection; STARTTLS whenever it is offered."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote

from ..crash import crash_point
from . import backend
from .backend import Backend, Later, Misconfigured, NotSent, Refused, Unknown, Unreachable, words
from .compose import Letter, sender_address
from .dkim import Signer


class Smtp(Backend):
    """A kept connection to an SMTP server; STARTTLS whenever it is offered."""

    def __init__(self, url: SplitResult, signer: Signer | None = None) -> None:
        self.url, self.signer = url, signer
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
        if not smtp.has_extn("8bitmime"):
            # Headers stay as they are: folded anew, a long address in one becomes an encoded word.
            seven = SMTP_POLICY.clone(cte_type="7bit", refold_source="none")
            message = message_from_bytes(message, policy=SMTP_POLICY).as_bytes(policy=seven)
        if self.signer:
            message = self.signer.signed(message)
        with self._before_data():
            self._announce(smtp, address)
        crash_point("before_data")
        try:
            smtp.send(_stuffed(message) + b".\r\n")
            crash_point("after_data")
            answer = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise Unknown(f"no answer after the message: {error}") from error
        if answer[0] == 421:
            self._drop()
        _expect(answer)

    def _announce(self, smtp: smtplib.SMTP, address: str) -> None:
        """Say from whom and to whom, and ask to go on; in one go where the server takes that (RFC 2920)."""
        options = " BODY=8BITMIME" if smtp.has_extn("8bitmime") else ""
        if not address.isascii():
            if not smtp.has_extn("smtputf8"):
                raise Refused("the server takes no addresses outside ASCII")
            options += " SMTPUTF8"
        mail, rcpt = f"MAIL FROM:<{sender_address()}>{options}", f"RCPT TO:<{address}>"
        if not smtp.has_extn("pipelining"):
            for command, good in ((mail, 250), (rcpt, 250), ("DATA", 354)):
                smtp.send(f"{command}\r\n".encode())
                _expect(smtp.getreply(), good)
            return
        smtp.send(f"{mail}\r\n{rcpt}\r\nDATA\r\n".encode())
        answers = [smtp.getreply() for _ in range(3)]
        if answers[2][0] == 354 and not all(200 <= code < 300 for code, _words in answers[:2]):
            # It waits for a message to nobody: an empty one ends that.
            smtp.send(b".\r\n")
            smtp.getreply()
        for answer, good in zip(answers, (250, 250, 354), strict=True):
            _expect(answer, good)

    def connect(self) -> smtplib.SMTP:
        try:
            kind: Any = smtplib.SMTP_SSL if self.is_tls else smtplib.SMTP
            extra = {"context": self.tls} if self.is_tls else {}
            smtp = kind(self.url.hostname, self.port, timeout=backend.CONNECT_TIMEOUT, **extra)
            smtp.ehlo_or_helo_if_needed()
            if not self.is_tls and smtp.has_extn("starttls"):
                smtp.starttls(context=self.tls)
                smtp.ehlo()
            if self.url.username:
                smtp.login(unquote(self.url.username), unquote(self.url.password or ""))
            smtp.sock.settimeout(backend.ANSWER_TIMEOUT)
        except smtplib.SMTPAuthenticationError as error:
            raise (Unreachable if error.smtp_code < 500 else Misconfigured)(
                f"sign-in: {error.smtp_code} {words(error.smtp_error)}"
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


def _stuffed(message: bytes) -> bytes:
    """A dot that begins a line is doubled (RFC 5321, 4.5.2)."""
    if b"\r\n." in message:  # most have none, and looking is much faster than replacing nothing
        message = message.replace(b"\r\n.", b"\r\n..")
    return b"." + message if message.startswith(b".") else message


def _expect(answer: tuple[int, bytes], good: int = 250) -> None:
    code, said = answer
    if code == good or (good == 250 and code == 251):
        return
    text = f"{code} {words(said)}"
    if code in (530, 535, 538):  # RFC 4954: the server wants us to sign in first
        raise Misconfigured(text)
    raise Refused(text) if 500 <= code < 600 else Later(text)
