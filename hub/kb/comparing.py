"""Two texts side by side, word by word; and two edits of one text made one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
#: Beyond this many words on either side a changed passage is shown as a whole: matching takes quadratic time.
_LONGEST = 1500
#: Lines kept around a change.
_CONTEXT = 2


@dataclass(frozen=True)
class Piece:
    """A stretch of text: `same`, `gone` (only in the old one) or `new`."""

    kind: str
    text: str


@dataclass
class Row:
    """A passage of both texts, side by side. `skipped` lines without a change are left out before it."""

    old: list[Piece] = field(default_factory=list)
    new: list[Piece] = field(default_factory=list)
    is_changed: bool = False
    skipped: int = 0


def words(old: str, new: str) -> list[Piece]:
    """What turns `old` into `new`, in one stretch: for titles and short texts."""
    return list(_merged(_pieces(old, new)))


def rows(old: str, new: str) -> list[Row]:
    """Both texts by passages; long stretches without a change are left out."""
    found: list[Row] = []
    before, after = old.splitlines(), new.splitlines()
    for tag, i, j, k, m in _matcher(before, after).get_opcodes():
        if tag == "equal":
            found += [Row([Piece("same", line)], [Piece("same", line)]) for line in before[i:j]]
        else:
            found.append(_changed("\n".join(before[i:j]), "\n".join(after[k:m])))
    return _shortened(found)


def is_same(old: str, new: str) -> bool:
    return old.split() == new.split()


def _changed(old: str, new: str) -> Row:
    pieces = list(_merged(_pieces(old, new)))
    return Row(
        [each for each in pieces if each.kind != "new"],
        [each for each in pieces if each.kind != "gone"],
        is_changed=True,
    )


def _pieces(old: str, new: str) -> Iterator[Piece]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > _LONGEST:
        yield from (Piece("gone", old), Piece("new", new))
        return
    for tag, i, j, k, m in _matcher(before, after).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(before[i:j]))
        else:
            yield Piece("gone", "".join(before[i:j]))
            yield Piece("new", "".join(after[k:m]))


def _merged(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Join changes that only a space keeps apart: “old words” → “new words” reads better than word by word."""
    gone, new = "", ""
    for piece in pieces:
        if piece.kind == "gone":
            gone += piece.text
        elif piece.kind == "new":
            new += piece.text
        elif (gone or new) and not piece.text.strip() and "\n" not in piece.text:
            gone, new = gone + piece.text, new + piece.text
        else:
            yield from _both(gone, new)
            gone, new = "", ""
            yield piece
    yield from _both(gone, new)


def _both(gone: str, new: str) -> Iterator[Piece]:
    space = ""
    if gone and new:
        # The space that joined two changes may turn out to stand at their end.
        space = " " if gone.endswith(" ") and new.endswith(" ") else ""
        gone, new = gone.removesuffix(space), new.removesuffix(space)
    if gone:
        yield Piece("gone", gone)
    if new:
        yield Piece("new", new)
    if space:
        yield Piece("same", space)


def _shortened(found: list[Row]) -> list[Row]:
    near = [False] * len(found)
    for at, row in enumerate(found):
        if row.is_changed:
            for beside in range(max(0, at - _CONTEXT), min(len(found), at + _CONTEXT + 1)):
                near[beside] = True
    kept: list[Row] = []
    skipped = 0
    for row, is_near in zip(found, near, strict=True):
        if is_near:
            row.skipped, skipped = skipped, 0
            kept.append(row)
        else:
            skipped += 1
    if skipped:
        kept.append(Row(skipped=skipped))
    return kept


def _matcher(before: list[str], after: list[str]) -> "SequenceMatcher[str]":
    # What repeats all over a long text says nothing about where it belongs, and would cost minutes.
    return SequenceMatcher(None, before, after, autojunk=max(len(before), len(after)) > _LONGEST)


@dataclass(frozen=True)
class Part:
    """A passage of a merged text: `settled`, or `mine` and `theirs` that both differ from what was."""

    settled: str | None
    mine: str = ""
    theirs: str = ""


def merge(base: str, mine: str, theirs: str) -> list[Part]:
    """Both edits of `base` in one, line by line; what both changed differently is left to be decided."""
    lines = [text.splitlines(keepends=True) for text in (base, mine, theirs)]
    parts: list[Part] = []
    at = (0, 0, 0)
    for start, end in _unchanged(*lines):
        was, ours, others = ("".join(its[i:j]) for its, i, j in zip(lines, at, start, strict=True))
        if others in (ours, was):
            _settle(parts, ours)
        elif ours == was:
            _settle(parts, others)
        else:
            parts.append(Part(None, ours, others))
        _settle(parts, "".join(lines[0][start[0] : end[0]]))
        at = end
    return parts


def either(base: str, mine: str, theirs: str) -> str:
    """Of a short text the edit that was made; one's own when both were."""
    return theirs if mine == base else mine


def _settle(parts: list[Part], text: str) -> None:
    if not text:
        return
    if parts and parts[-1].settled is not None:
        parts[-1] = Part(parts[-1].settled + text)
    else:
        parts.append(Part(text))


_Place = tuple[int, int, int]


def _unchanged(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[tuple[_Place, _Place]]:
    """Where all three texts have the same lines, in order; the last one is empty and at the end."""
    ours = _matcher(base, mine).get_matching_blocks()
    others = _matcher(base, theirs).get_matching_blocks()
    i = j = 0
    while i < len(ours) and j < len(others):
        a, b = ours[i], others[j]
        start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
        if start < end:
            first = start, a.b + start - a.a, b.b + start - b.a
            length = end - start
            yield first, (first[0] + length, first[1] + length, first[2] + length)
        if a.a + a.size < b.a + b.size:
            i += 1
        else:
            j += 1
    last = len(base), len(mine), len(theirs)
    yield last, last
