"""A segment of a Whoosh index: written once, and read here once; documents only go from it."""

from array import array
from collections.abc import Set
from functools import cached_property, lru_cache
from typing import Any

from .question import Question
from .scoring import WEIGHTS

_TERMS_KEPT = 1_000
_SETS_KEPT = 32


class Segment:
    """What has been read of one segment so far; the snapshots that share it leave out what is gone since.

    Documents are numbered from 0 in the order in which they were written.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._ids = array("q", bytes(8 * reader.doc_count_all()))  # 0: not read yet
        self.numbers = lru_cache(maxsize=_TERMS_KEPT)(self._read_numbers)
        self._holding = lru_cache(maxsize=_SETS_KEPT)(self._read_holding)
        self._there = lru_cache(maxsize=_SETS_KEPT)(self._read_there)

    @property
    def name(self) -> str:
        """Of the segment, for as long as it is there."""
        return str(self._reader.segment().segment_id())

    @cached_property
    def kinds(self) -> list[str]:
        """The kind of each document."""
        return self._values("kind")

    @cached_property
    def shelves(self) -> list[str]:
        """The shelf of each document, or ""."""
        return self._values("shelf")

    def ids(self, question: Question, audience: frozenset[str], kind: str, gone: Set[int]) -> list[int]:
        """As Engine.ids promises, without those that are gone."""
        there = self._there(audience, kind)
        found = there.intersection(
            number for code in question.codes for number in self.numbers("codes", code)
        )
        if question.words:
            holders = (_union([self._holding(term) for term in word.terms]) for word in question.words)
            found |= there.intersection(*holders)
        found -= gone
        found -= {number for key in question.hidden for number in self.numbers("key", key)}
        return [self._ids[number] or self._read_id(number) for number in found]

    def _read_numbers(self, name: str, term: str) -> "array[int]":
        found = self._reader.postings(name, term).all_ids() if (name, term) in self._reader else ()
        return array("L", found)

    def _read_holding(self, term: str) -> frozenset[int]:
        return frozenset(number for name in WEIGHTS for number in self.numbers(name, term))

    def _read_there(self, audience: frozenset[str], kind: str) -> frozenset[int]:
        allowed = frozenset(number for token in audience for number in self.numbers("audience", token))
        return allowed.intersection(self.numbers("kind", kind))

    def _read_id(self, number: int) -> int:
        key = self._keys[number]
        self._ids[number] = int(key.partition(":")[2])
        return self._ids[number]

    @cached_property
    def _keys(self) -> Any:
        return self._reader.column_reader("key")

    def _values(self, name: str) -> list[str]:
        values = [""] * self._reader.doc_count_all()
        for term in self._reader.lexicon(name):
            value = term.decode()
            for number in self.numbers(name, value):
                values[number] = value
        return values


def _union(sets: list[frozenset[int]]) -> frozenset[int]:
    """All of them; the only one as it is, which of many documents is the quicker by far."""
    return sets[0] if len(sets) == 1 else frozenset().union(*sets)
