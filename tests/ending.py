"""Whether something hostile ends at all.

What is caught takes minutes or for ever; without a promise to hold, the bound is
far above what any machine needs, so it says nothing about speed.
"""

import contextlib
import time
from collections.abc import Iterator

AT_ALL = 20.0


@contextlib.contextmanager
def ending(within: float = AT_ALL) -> Iterator[None]:
    """Fail when the block takes more than `within` seconds of this thread's processor time."""
    began = time.thread_time()
    yield
    spent = time.thread_time() - began
    assert spent < within, f"{spent:.1f} s of processor time"
