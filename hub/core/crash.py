"""Named points at which a test may kill the process, as `kill -9` or a power cut would."""

import os
from collections import Counter

from .settings import Env, settings

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """End the process here when a test asked for it (`HUB_CRASH_AT=name:n`, the n-th time)."""
    crash_at = settings.crash_at  # looked up once: every mail passes here four times
    if not crash_at or settings.env is not Env.TEST:
        return
    wanted, _, nth = crash_at.partition(":")
    if wanted != name:
        return
    _passed[name] += 1
    if _passed[name] == int(nth or 1):
        os._exit(137)
