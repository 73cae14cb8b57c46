"""How long a video is and how large, read from the head of an MP4 or WebM file; nothing is decoded.

MP4: boxes of ISO/IEC 14496-12. WebM: elements of EBML (RFC 8794) as Matroska (RFC 9559) uses them.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

#: So many boxes or elements are looked at: a hostile file is no reason to read on.
MOST = 10_000
#: Larger values than these are no facts about a video.
LONGEST_MS, WIDEST = 7 * 24 * 3600 * 1000, 16_384


@dataclass(frozen=True)
class Movie:
    """What the file says of itself; None for what it does not say, or not credibly."""

    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class _Part:
    """A box or an element: its name, and where its content lies."""

    name: bytes | int
    start: int
    end: int


def measure(stream: IO[bytes], mime: str) -> Movie:
    """Facts about a video; an empty Movie for a file that cannot be followed. The stream ends at its beginning."""
    size = stream.seek(0, 2)
    try:
        seconds, width, height = (_mp4 if mime == "video/mp4" else _webm)(stream, size)
    except (struct.error, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return Movie()
    finally:
        stream.seek(0)
    duration = round(seconds * 1000) if math.isfinite(seconds) else 0
    credible = 0 < width <= WIDEST and 0 < height <= WIDEST
    return Movie(
        duration if 0 < duration <= LONGEST_MS else None,
        width if credible else None,
        height if credible else None,
    )


# --- MP4 -------------------------------------------------------------------


def _mp4(stream: IO[bytes], size: int) -> tuple[float, int, int]:
    seconds, width, height = 0.0, 0, 0
    for movie in _boxes(stream, 0, size, b"moov"):
        for head in _boxes(stream, movie.start, movie.end, b"mvhd"):
            data = _read(stream, head, 32)
            # Version 1 has times of 64 bits.
            scale, length = (
                struct.unpack(">IQ", data[20:32]) if data[0] else struct.unpack(">II", data[12:20])
            )
            seconds = length / scale
        for track in _boxes(stream, movie.start, movie.end, b"trak"):
            for head in _boxes(stream, track.start, track.end, b"tkhd"):
                data = _read(stream, head, 96)
                at = 88 if data[0] else 76
                wide, high = struct.unpack(">II", data[at : at + 8])  # 16.16 fixed point
                width, height = max(width, wide >> 16), max(height, high >> 16)
    return seconds, width, height


def _boxes(stream: IO[bytes], start: int, end: int, name: bytes) -> Iterator[_Part]:
    for _ in range(MOST):
        if start + 8 > end:
            return
        stream.seek(start)
        length, found = struct.unpack(">I4s", stream.read(8))
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", stream.read(8))[0], 16
        elif length == 0:  # up to the end
            length = end - start
        if length < head:
            return
        if found == name:
            yield _Part(found, start + head, min(start + length, end))
        start += length


# --- WebM ------------------------------------------------------------------

_SEGMENT, _INFO, _SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _ENTRY, _VIDEO, _WIDTH, _HEIGHT = 0x1654AE6B, 0xAE, 0xE0, 0xB0, 0xBA
_CLUSTER = 0x1F43B675


def _webm(stream: IO[bytes], size: int) -> tuple[float, int, int]:
    scale, duration, width, height = 1_000_000, 0.0, 0, 0
    segment = next(each for each in _elements(stream, 0, size) if each.name == _SEGMENT)
    for part in _elements(stream, segment.start, segment.end):
        if part.name == _CLUSTER:  # the pictures themselves: everything about them stands before
            break
        if part.name == _INFO:
            for each in _elements(stream, part.start, part.end):
                if each.name == _SCALE:
                    scale = int.from_bytes(_read(stream, each, 8))
                elif each.name == _DURATION:
                    data = _read(stream, each, 8)
                    duration = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
        elif part.name == _TRACKS:
            for entry in _elements(stream, part.start, part.end):
                for video in _elements(stream, entry.start, entry.end) if entry.name == _ENTRY else ():
                    for each in _elements(stream, video.start, video.end) if video.name == _VIDEO else ():
                        if each.name == _WIDTH:
                            width = int.from_bytes(_read(stream, each, 8))
                        elif each.name == _HEIGHT:
                            height = int.from_bytes(_read(stream, each, 8))
    return duration * scale / 1e9, width, height


def _elements(stream: IO[bytes], start: int, end: int) -> Iterator[_Part]:
    for _ in range(MOST):
        if start >= end:
            return
        stream.seek(start)
        name, name_length = _number(stream, keep_marker=True)
        length, length_length = _number(stream)
        start += name_length + length_length
        # All ones: the length was not known when it was written, so it goes up to the end.
        unknown = length == (1 << 7 * length_length) - 1
        stop = end if unknown else min(start + length, end)
        yield _Part(name, start, stop)
        start = stop


def _number(stream: IO[bytes], *, keep_marker: bool = False) -> tuple[int, int]:
    """A number of EBML and how many bytes it takes: the first set bit says so."""
    first = stream.read(1)[0]
    length = 9 - first.bit_length()
    if length > 8:
        raise ValueError("no number")
    rest = stream.read(length - 1)
    if len(rest) < length - 1:
        raise ValueError("cut off")
    value = first if keep_marker else first & ((1 << (8 - length)) - 1)
    return int.from_bytes(bytes([value]) + rest), length


def _read(stream: IO[bytes], part: _Part, most: int) -> bytes:
    stream.seek(part.start)
    return stream.read(min(part.end - part.start, most))
