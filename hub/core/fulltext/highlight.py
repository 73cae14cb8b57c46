"""Found words marked in plain text, in whatever form they stand there."""

import re
from collections.abc import Mapping, Set
from typing import NamedTuple

from markupsafe import Markup, escape

from .words import Beginnings, places_of, terms, words_of

FRAGMENT = 240
_LEAD = 60
_AT_ONCE = 20_000
_LINE_END = re.compile(r"(^|\S)\s*\n")
_MARKED = Markup("<mark>{}</mark>")


class Spot(NamedTuple):
    """A found word: where it stands, and which wanted term it is."""

    start: int
    end: int
    term: str


class Highlighter:
    """Marks the words of one question. Every written form is looked up once, however many texts there are.

    Only a word that begins as one of the `beginnings` is looked up at all: that is the slow part.
    """

    def __init__(self, lang: str, wanted: Mapping[str, float], beginnings: Set[str]) -> None:
        self._lang = lang
        self._wanted = wanted
        self._beginnings = Beginnings(lang, beginnings)
        self._term_of: dict[str, str] = {}
        self._met: set[str] = set()

    def mark(self, text: str) -> Markup:
        """`text` as HTML, with `<mark>` around every wanted word."""
        return _marked(text, 0, len(text), self.spots(text))

    def share(self, text: str) -> float:
        """How many different wanted terms a short text holds, by weight."""
        return sum(self._wanted[term] for term in {spot.term for spot in self.spots(text)})

    def fragment(self, text: str) -> tuple[Markup, int | None]:
        """The part of `text` that answers best, marked, and where its first found word stands.

        Without any found word it is the beginning of the text, and None.
        """
        found = self._first_spots(text)
        if not found:
            return _marked(text, 0, _word_end(text, FRAGMENT), []), None
        first = max(range(len(found)), key=lambda at: (self._worth(found, at), -at))
        start = _word_start(text, found[first].start)
        return _marked(text, start, _word_end(text, start + FRAGMENT), found[first:]), found[first].start

    def _first_spots(self, text: str) -> list[Spot]:
        """The wanted words of the first part of a text that has any."""
        start = 0
        while start < len(text):
            end = _word_end(text, start + _AT_ONCE)
            if found := self.spots(text[start:end]):
                return (
                    [Spot(spot.start + start, spot.end + start, spot.term) for spot in found]
                    if start
                    else found
                )
            start = end
        return []

    def seen(self, words: list[str]) -> list[str]:
        """Those of the words that stood, in any form, in a text so far."""
        here = set(self._term_of.values())
        return [
            each
            for each in words
            if any(not here.isdisjoint(terms(self._lang, word)) for word in each.split())
        ]

    def spots(self, text: str) -> list[Spot]:
        """Every wanted word of a text, in order."""
        here = words_of(text)
        for word in self._beginnings.among(here - self._met):
            if term := self._find(word):
                self._term_of[word] = term
        self._met |= here
        term_of = self._term_of
        if here.isdisjoint(term_of):
            return []
        return [Spot(*match.span(), term_of[match[0]]) for match in places_of(term_of, text)]

    def _find(self, word: str) -> str:
        """The wanted term that a written word is a form of, the weightiest; empty if it is none."""
        wanted = self._wanted
        mine = [term for term in terms(self._lang, word) if term in wanted]
        return max(mine, key=wanted.__getitem__) if mine else ""

    def _worth(self, found: list[Spot], first: int) -> float:
        """What a fragment that begins here would show: each different term once, repeats a little."""
        near = [
            spot for spot in found[first : first + 12] if spot.end <= found[first].start + FRAGMENT - _LEAD
        ]
        return sum(self._wanted[term] for term in {spot.term for spot in near}) + 0.01 * len(near)


def _word_start(text: str, position: int) -> int:
    """Where to begin so that some words lead in: after a sentence or paragraph, else at a word."""
    floor = max(0, position - _LEAD)
    lead = text[floor:position]
    sentence = max(lead.rfind(stop) for stop in (". ", "? ", "! "))
    paragraph = lead.rfind("\n")
    if max(sentence, paragraph) >= 0:
        return floor + max(sentence + 2 if sentence >= 0 else 0, paragraph + 1)
    space = lead.find(" ")
    return floor + space + 1 if floor and space >= 0 else floor


def _word_end(text: str, position: int) -> int:
    if position >= len(text):
        return len(text)
    space = text.rfind(" ", 0, position)
    return space if space > position - 40 else position


def _marked(text: str, start: int, end: int, found: list[Spot]) -> Markup:
    parts = [Markup("… ") if start and text[start - 1] != "\n" else Markup("")]
    at = start
    for spot in found:
        if spot.end > end:
            break
        parts += [escape(_in_a_row(text[at : spot.start])), _MARKED.format(text[spot.start : spot.end])]
        at = spot.end
    parts += [escape(_in_a_row(text[at:end])), Markup(" …") if end < len(text) else Markup("")]
    return Markup("").join(parts)


def _in_a_row(text: str) -> str:
    """Lines become sentences: a heading or a cell gets the full stop it lacks."""
    return _LINE_END.sub(
        lambda found: f"{found[1]} " if found[1] and found[1] in ".:;,?!…" else f"{found[1]}. ", text
    )
