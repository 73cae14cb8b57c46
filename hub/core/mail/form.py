"""A text for many readers: laid out once, then only the words of each are put in."""

import html
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

#: A line of more octets is broken at spaces.
LONG_LINE = 800
_END = re.compile(r"\r\n?|\n")

_Place = tuple[int, str]
#: A piece of text as it is, or the number of the word to put in and how it is escaped there.
Piece = str | _Place

_ESCAPES: dict[str, Callable[[str], str]] = {
    "text": str,
    "html": html.escape,
    "address": lambda word: quote(word, safe=""),
}


@dataclass(frozen=True, eq=False)
class Form:
    """Subject, HTML and text with places for words."""

    subject_pieces: list[Piece]
    html_pieces: list[Piece]
    text_pieces: list[Piece]
    _sign: str = field(default_factory=lambda: secrets.token_hex(5))

    def fill(self, words: Sequence[str]) -> tuple[str, str, str]:
        """(subject, HTML, text) with the words of one reader."""
        return (
            _fill(self.subject_pieces, words),
            _fill(self.html_pieces, words),
            _fill(self.text_pieces, words),
        )

    def page(self, words: Sequence[str]) -> bytes | None:
        """The HTML of `fill` in octets, its lines ended with CRLF, in a fraction of the time.

        None where a line would be too long, or a word has lines of its own.
        """
        pieces, lines = self._travelling
        put = {
            each: _ESCAPES[each[1]](words[each[0]]).encode() for each in pieces if not isinstance(each, bytes)
        }
        if any(size + sum(len(put[each]) for each in places) > LONG_LINE for size, places in lines):
            return None
        if any(b"\n" in word or b"\r" in word for word in put.values()):
            return None
        return b"".join([each if isinstance(each, bytes) else put[each] for each in pieces])

    @cached_property
    def _travelling(self) -> tuple[list[bytes | _Place], list[tuple[int, list[_Place]]]]:
        """The HTML's pieces in octets; and of the lines that may be long the size without words, and their places."""
        pieces = [
            _END.sub("\r\n", each).encode() if isinstance(each, str) else each for each in self.html_pieces
        ]
        if pieces and isinstance(last := pieces[-1], bytes):
            pieces[-1] = last.removesuffix(b"\r\n")
        lines: list[tuple[int, list[_Place]]] = [(0, [])]
        for each in pieces:
            size, places = lines.pop()
            if isinstance(each, bytes):
                first, *more = map(len, each.split(b"\r\n"))
                lines += [(size + first, places), *((other, []) for other in more)]
            else:
                lines.append((size, [*places, each]))
        return pieces, [(size, places) for size, places in lines if places or size > LONG_LINE]

    # A provider that fills in by itself gets the form with a tag in each place.

    @cached_property
    def subject(self) -> str:
        return self._tagged(self.subject_pieces)

    @cached_property
    def html(self) -> str:
        return self._tagged(self.html_pieces)

    @cached_property
    def text(self) -> str:
        return self._tagged(self.text_pieces)

    def substitutions(self, words: Sequence[str]) -> dict[str, str]:
        """What stands for each tag of the form."""
        return {self._tag(*place): _ESCAPES[place[1]](words[place[0]]) for place in self._places}

    @cached_property
    def _places(self) -> set[_Place]:
        pieces = [*self.subject_pieces, *self.html_pieces, *self.text_pieces]
        return {piece for piece in pieces if not isinstance(piece, str)}

    def _tag(self, number: int, kind: str) -> str:
        return f"-{self._sign}.{number}.{kind}-"

    def _tagged(self, pieces: list[Piece]) -> str:
        return "".join(piece if isinstance(piece, str) else self._tag(*piece) for piece in pieces)


def _fill(pieces: list[Piece], words: Sequence[str]) -> str:
    return "".join(
        piece if isinstance(piece, str) else _ESCAPES[piece[1]](words[piece[0]]) for piece in pieces
    )
