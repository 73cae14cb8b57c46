"""Named points at which a test may kill the process, as `kill -9` or a power cut would."""

import os
from collections import Counter

from .settings import Env, Settings

_passed: Counter[str] = Counter()
_at = ""


def arm(settings: Settings) -> None:
    """Note once where a test wants the end: thousands of mails a second pass the points."""
    global _at  # noqa: PLW0603 - of the process, like its end
    _at = settings.crash_at if settings.env is Env.TEST else ""


def crash_point(name: str) -> None:
    """End the process here when a test asked for it (`HUB_CRASH_AT=name:n`, the n-th time)."""
    if not _at:
        return
    wanted, _, nth = _at.partition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(nth or 1):
        os._exit(137)
