"""What every way out has in common: a letter is taken, or it is said exactly how not.

Above all whether the letter may have been taken nevertheless.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from .compose import Letter

log = structlog.get_logger()

#: Seconds to wait for a connection and for each answer.
CONNECT_TIMEOUT = 10
ANSWER_TIMEOUT = 30


class NotSent(Exception):
    """A letter did not certainly arrive; the subclass says what that means."""


class Later(NotSent):
    """Certainly not taken, and it may be next time: busy, greylisted, no connection."""


class Unreachable(Later):
    """The server cannot be spoken to: trying the next letter now would meet the same."""


class Busy(Unreachable):
    """The server asks not to be spoken to before a moment, whoever the letter is for."""

    def __init__(self, text: str, until: datetime) -> None:
        super().__init__(text)
        self.until = until


class Refused(NotSent):
    """Certainly not taken, and it never will be: no such mailbox."""


class Misconfigured(Later):
    """Nothing can be sent until a person corrects the settings: wrong key, wrong password."""


class Unknown(NotSent):
    """It may or may not have been taken: the line broke before the answer."""


class Backend(ABC):
    #: Sending the same letter again does nothing, so after a crash it may be repeated.
    repeatable = False
    #: Letters that one call may take.
    batch = 1

    @property
    def is_resting(self) -> bool:
        """Has the server asked not to be spoken to yet?"""
        return False

    @abstractmethod
    def send(self, letter: Letter) -> None:
        """Hand over a letter. Raises NotSent."""

    def send_many(self, letters: Sequence[Letter]) -> list[NotSent | None]:
        """Hand over at most `batch` letters; for each what went wrong, if anything."""
        return [attempt(lambda letter=letter: self.send(letter)) for letter in letters]  # type: ignore[misc]

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Let go of what is kept open."""


def attempt(call: Callable[[], None]) -> NotSent | None:
    """What `call` raised, in the terms of a mail: a letter that cannot even be written is refused."""
    try:
        call()
    except NotSent as error:
        return error
    except Exception as error:
        log.exception("mail")
        return Refused(f"{type(error).__name__}: {error}")
    return None


def words(reply: bytes | str) -> str:
    """What the far end said, short enough to keep."""
    return (reply.decode(errors="replace") if isinstance(reply, bytes) else reply)[:300]
