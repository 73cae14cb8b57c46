"""SendGrid's Web API v3; its id for a letter is ours, in `custom_args`."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any
from urllib.error import URLError

from python_http_client.exceptions import HTTPError

from .. import clock
from . import backend
from .backend import (
    Backend,
    Busy,
    Later,
    Misconfigured,
    NotSent,
    Refused,
    Unknown,
    Unreachable,
    attempt,
    words,
)
from .compose import Letter, sender

#: Headers that SendGrid writes itself from the request.
_OWN_FIELDS = ("From", "To", "Subject", "Reply-To")
#: Octets of one reader's own words; SendGrid takes 10,000 of substitutions, and each may stand in several places.
LARGEST_WORDS = 2000


#: Without a word of how long it is to be left alone, and with one that is too long to be believed.
REST, LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)

#: Host → until when it asked to be left alone: heard by all connections and jobs of this process.
_resting: dict[str, datetime] = {}


class SendGrid(Backend):
    #: Personalizations of one request.
    batch = 1000

    def __init__(self, key: str, host: str) -> None:
        # Imported here: it is large, and only a hub that sends through SendGrid needs it.
        from sendgrid import SendGridAPIClient

        self.api = SendGridAPIClient(api_key=key, host=host)
        self.api.client.timeout = backend.ANSWER_TIMEOUT

    @property
    def is_resting(self) -> bool:
        until = _resting.get(self.api.host)
        return until is not None and clock.now() < until

    def send(self, letter: Letter) -> None:
        self._post([letter])

    def send_many(self, letters: Sequence[Letter]) -> list[NotSent | None]:
        """Letters of one form travel in one request; one that is refused is looked for by halves."""
        results: dict[str, NotSent | None] = {}
        for together in _by_form(letters):
            results |= self._send_together(together)
        return [results[letter.key] for letter in letters]

    def _send_together(self, letters: list[Letter]) -> dict[str, NotSent | None]:
        error = attempt(lambda: self._post(letters))
        if not isinstance(error, Refused) or len(letters) == 1:
            return {letter.key: error for letter in letters}
        # The whole request was refused, for the sake of perhaps one address.
        middle = len(letters) // 2
        return self._send_together(letters[:middle]) | self._send_together(letters[middle:])

    def _post(self, letters: Sequence[Letter]) -> None:
        try:
            self.api.client.mail.send.post(request_body=_request(letters))
        except HTTPError as error:
            meaning = _meaning(error.status_code, words(error.body), error.headers or {})
            if isinstance(meaning, Busy):
                _resting[self.api.host] = meaning.until
            raise meaning from error
        except URLError as error:
            # Only a connection that was never made is certain; the rest may have been heard.
            unheard = isinstance(
                error.reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError
            )
            raise (Unreachable if unheard else Unknown)(f"connection: {error.reason}") from error
        except (OSError, ValueError) as error:
            raise Unknown(f"connection: {error}") from error


def _by_form(letters: Sequence[Letter]) -> list[list[Letter]]:
    """Letters that share their text, together, no address twice; one that shares it with none, alone."""
    groups: dict[tuple[object, int], dict[str, Letter]] = {}
    for letter in letters:
        form, turn, address = _shared(letter), 0, letter.address.lower()
        while address in groups.setdefault((form, turn), {}):
            turn += 1
        groups[form, turn][address] = letter
    return [list(group.values()) for group in groups.values()]


def _shared(letter: Letter) -> object:
    """What a letter has in common with others: its form, unless its own words are too long for SendGrid."""
    if letter.form and sum(len(word.encode()) for word in letter.words) < LARGEST_WORDS:
        return letter.form
    return letter.key


def _request(letters: Sequence[Letter]) -> dict[str, Any]:
    first = letters[0]
    texts: Any = first.form if len(letters) > 1 and first.form else first
    name, address = sender()
    request: dict[str, Any] = {
        "from": {"email": address, "name": name},
        "personalizations": [_personal(each, texts is first.form) for each in letters],
        "subject": texts.subject,
        "content": [
            {"type": "text/plain", "value": texts.text},
            {"type": "text/html", "value": texts.html},
        ],
        # The hub counts by itself, and only where it was asked to.
        "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
    }
    if "Reply-To" in first.headers:
        reply_name, reply_to = parseaddr(first.headers["Reply-To"])
        request["reply_to"] = {"email": reply_to} | ({"name": reply_name} if reply_name else {})
    return request


def _personal(letter: Letter, by_form: bool) -> dict[str, Any]:
    """What is this reader's own in a request."""
    letter.head()  # the guards that hold for every way out
    personal: dict[str, Any] = {
        "to": [{"email": letter.address} | ({"name": letter.name} if letter.name else {})],
        "headers": {name: value for name, value in letter.all_headers().items() if name not in _OWN_FIELDS},
        "custom_args": {"hub_id": letter.key},
    }
    if by_form and letter.form:
        personal["substitutions"] = letter.form.substitutions(letter.words)
    return personal


def _meaning(status: int, said: str, headers: Mapping[str, str]) -> NotSent:
    text = f"{status} {said}"
    if status == 429 or (status == 503 and headers.get("Retry-After")):
        return Busy(text, _until(headers))
    if status in (401, 403):
        return Misconfigured(text)
    if status == 503:
        return Later(text)
    return Unknown(text) if status >= 500 else Refused(text)


def _until(headers: Mapping[str, str]) -> datetime:
    """When it may be spoken to again: seconds or a date (RFC 9110, 10.2.3), or SendGrid's own second of the epoch."""
    now = clock.now()
    after, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    try:
        if after:
            moment = (
                now + timedelta(seconds=int(after)) if after.isdecimal() else parsedate_to_datetime(after)
            )
        else:
            moment = datetime.fromtimestamp(int(reset), UTC)
        return min(max(moment, now + timedelta(seconds=1)), now + LONGEST_REST)
    except (ValueError, TypeError, OverflowError, OSError):
        return now + REST
