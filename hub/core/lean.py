"""What keeps a process small: nothing is loaded in case somebody needs it, and what is free goes back."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LIBC = ctypes.CDLL(None)
#: Parameters of mallopt(3). Give back what is free at the end of the heap once it is so large; setting it also
#: keeps glibc from raising the limit by itself, up to 64 MB, after the first large answer.
M_TRIM_THRESHOLD, ENOUGH = -1, 131_072
#: Threads share one heap, for they take turns anyway; sixteen heaps would each keep what is free in them.
M_ARENA_MAX, ONE = -8, 1


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Import a library inside as if these packages, for which it looks by itself, were not installed.

    What is loaded already stays; afterwards everyone can import them.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: “there is none” to an import
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def give_back() -> None:
    """Let this process return free memory to the system early, where the C library can."""
    if hasattr(LIBC, "mallopt"):
        LIBC.mallopt(M_TRIM_THRESHOLD, ENOUGH)
        LIBC.mallopt(M_ARENA_MAX, ONE)


def tidy() -> None:
    """Return what is free between what is used, too: worth it once, after something large was loaded."""
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)


def keep() -> None:
    """Say that what is loaded by now stays: the garbage collector need not look through it for every few pages."""
    gc.collect()
    gc.freeze()
