"""A text for many readers: laid out once, then only the words of each are put in."""

import html
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

#: A piece of text as it is, or the number of the word to put in and how it is escaped there.
Piece = str | tuple[int, str]

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
    def _places(self) -> set[tuple[int, str]]:
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
