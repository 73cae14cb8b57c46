"""Limits on size and time, so that no text can keep a process busy.

Markdown parsers in Python have inputs of a few KB that take minutes. Every
step of a parser is wrapped to look at the clock; the processor time of the
thread is counted, so a busy machine refuses nobody. What hides within one
regular expression is found by `refuse_traps` beforehand.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from ..errors import Invalid
from ..i18n import _l, filesize

#: A long article takes a third of it; with the step that is under way when it is up, nothing takes two seconds.
SECONDS = 1.0


class TooIntricate(Invalid):
    message = _l("The text is too intricate to be shown: too many nested or unclosed marks.")


def refuse_long(text: str, limit: int) -> None:
    """Raise Invalid when `text` has more than `limit` bytes."""
    size = len(text.encode(errors="replace"))
    if size > limit:
        raise Invalid(
            _l("The text has %(size)s; the limit is %(limit)s.", size=filesize(size), limit=filesize(limit))
        )


#: Marks in a row on which a single regular expression takes quadratic time or worse.
_RUN = re.compile(r"(?:[\[\]()<!^\\`*_~\s]){400}")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.M)


def refuse_traps(text: str) -> None:
    """Raise TooIntricate for shapes nobody writes by hand."""
    if _RUN.search(text) or len(_FENCE.findall(text)) > 600:
        raise TooIntricate
    for line in text.splitlines():
        lead = line[: len(line) - len(line.lstrip(" \t>*+-_#"))]
        if len(line) > 12_000 or len(lead) > 100 or lead.count(">") > 8 or len(lead.split()) > 10:
            raise TooIntricate


class Budget:
    """Processor time one rendering may take."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.start()

    def start(self) -> None:
        """From now on: for the thread that calls."""
        self.until = time.thread_time() + self.seconds

    def check(self) -> None:
        if time.thread_time() > self.until:
            raise TooIntricate

    def guard(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """`step`, refusing to begin once the time is up."""

        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.check()
            return step(*args, **kwargs)

        return guarded
