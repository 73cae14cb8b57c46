"""Dictionaries that stay on the disk: a search looks at a few pages of 25 MB, which all processes share."""

import mmap
import sys
from pathlib import Path
from typing import Any


def leave(words: Any, file: Path) -> None:
    """Let a DAWG of pymorphy's read `file`, from which it was loaded, where it is asked instead of a copy of it.

    The file has two arrays after one another, each preceded by its length as a 32-bit number of this
    machine: units of four bytes, then pairs of bytes (`Dictionary` and `Guide` of dawg-python).
    """
    with file.open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(mmap, "MADV_RANDOM"):
        mapped.madvise(mmap.MADV_RANDOM)  # else sixteen pages are read for each that is needed
    whole = memoryview(mapped)
    units_end = 4 + 4 * _length(whole, 0)
    words.dct._units = whole[4:units_end].cast("I")
    words.guide._units = whole[units_end + 4 :][: 2 * _length(whole, units_end)]


def _length(whole: memoryview, at: int) -> int:
    return int.from_bytes(whole[at : at + 4], sys.byteorder)
