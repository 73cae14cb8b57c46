"""A Whoosh index as pages read it: one language at one moment.

Whoosh stores the postings; the scores are added up here, term by term. That takes a tenth of the time of
its own matchers, gives the counts per kind with them, and lets all fields of a document saturate together.
"""

import heapq
import json
import threading
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine as Database
from whoosh import index

from .documents import Document, Found, Narrowing
from .question import Question, Wanted
from .scoring import BEST, CODE, FLOOR, SURFACE, TOGETHER, WEIGHTS, B, saturated, shortness
from .whoosh_files import words_database
from .whoosh_segment import Segment

_TERMS_KEPT = 3_000


class Postings(NamedTuple):
    """Where a term stands: document numbers, each with a worth."""

    numbers: "array[int]"
    worths: "array[float]"

    @classmethod
    def of(cls, worth: dict[int, float]) -> "Postings":
        return cls(array("L", worth), array("f", worth.values()))


class Places(NamedTuple):
    """A term's worth in whole documents, and in each field that counts again when its words stand together."""

    anywhere: Postings
    fields: dict[str, Postings]


class Part(NamedTuple):
    """A segment of a snapshot: the number of its first document there, and which of its documents are gone."""

    segment: Segment
    first: int
    gone: frozenset[int]


class Snapshot:
    """One language's index at one moment, with what has been read from it so far."""

    def __init__(self, path: Path, before: "Snapshot | None" = None) -> None:
        """Read the index in a folder; what the snapshot `before` has read of the same folder is kept."""
        self.path = path
        self.database: Database = before.database if before else words_database(path)
        self._index = index.open_dir(str(path))
        self._generation = self._index.latest_generation()
        self._reader = self._index.reader()
        # Whoever still reads the snapshot before reads the same files of the segments they share.
        self._lock: Any = before._lock if before else threading.RLock()
        # Deleted documents count until a merge.
        count = max(self._reader.doc_count_all(), 1)
        self._average = {name: self._reader.field_length(name) / count or 1 for name in B}
        with self._lock:
            self.segments: list[Part] = list(self._read_segments(before.segments if before else []))
            self._kind_of = [kind for segment, *_ in self.segments for kind in segment.kinds]
            self._shelf_of = [shelf for segment, *_ in self.segments for shelf in segment.shelves]
        # Postings cost their file reads once per snapshot; 12 bytes each.
        self._places = lru_cache(maxsize=_TERMS_KEPT)(self._read_places)
        self._surface = lru_cache(maxsize=_TERMS_KEPT)(self._read_surface)
        self._allowed = lru_cache(maxsize=32)(self._read_allowed)

    def is_fresh(self) -> bool:
        """Has nothing been written since?"""
        return self._index.latest_generation() == self._generation

    def find(
        self, question: Question, audience: frozenset[str], only: Narrowing, limit: int, offset: int
    ) -> Found:
        """As Engine.find promises."""
        with self._lock:
            hidden = (number for key in question.hidden for number in self._numbers("key", key))
            scores = self._add_up(question, self._allowed(audience).difference(hidden))
            floor = FLOOR * max(scores.values(), default=0)
            strong = [(score, -number) for number, score in scores.items() if score >= floor]
            by_kind = Counter(self._kind_of[-number] for _, number in strong)
            if only.kinds:
                strong = [each for each in strong if self._kind_of[-each[1]] in only.kinds]
            by_shelf = Counter(self._shelf_of[-number] for _, number in strong)
            if only.shelf:
                strong = [each for each in strong if self._shelf_of[-each[1]] == only.shelf]
            best = heapq.nlargest(offset + limit, strong)[offset:]
            return Found([self._document(-number) for _, number in best], dict(by_kind), dict(by_shelf))

    def ids(self, question: Question, audience: frozenset[str], kind: str) -> list[int]:
        """As Engine.ids promises."""
        with self._lock:
            return [
                id for segment, _, gone in self.segments for id in segment.ids(question, audience, kind, gone)
            ]

    def _read_segments(self, known: list[Part]) -> Iterator[Part]:
        kept = {part.segment.name: part.segment for part in known}
        for reader, first in self._reader.leaf_readers():
            if reader.segment():  # an empty index has none
                segment = kept.get(reader.segment().segment_id()) or Segment(reader)
                yield Part(segment, first, reader.deleted_docs_set)

    def _add_up(self, question: Question, allowed: frozenset[int]) -> dict[int, float]:
        """The score of every document that is an answer."""
        telling = (self._places(term).anywhere.numbers for word in question.telling for term in word.terms)
        coded = [number for code in question.codes for number in self._numbers("codes", code)]
        best = [number for key in question.best for number in self._numbers("key", key)]
        found = allowed.intersection(set().union(*telling))
        found = (found - self._incomplete(found, question)) | allowed.intersection([*coded, *best])
        total = dict.fromkeys(found, 0.0)
        for word in question.words:
            alternatives = [(weight, self._places(term).anywhere) for term, weight in word.terms.items()]
            _increase(total, _best(alternatives), word.rarity)
            _increase(total, zip(*self._surface(word.surface), strict=True), SURFACE * word.rarity)
        for name in TOGETHER:
            self._add_together(name, question.words, total)
        _increase(total, ((number, 1.0) for number in coded), CODE)
        _increase(total, ((number, 1.0) for number in best), BEST)
        return total

    def _incomplete(self, found: frozenset[int], question: Question) -> set[int]:
        """Documents of the strict kinds that lack a word of the question."""
        strict = {number for number in found if self._kind_of[number] in question.strict}
        complete = set(strict)
        for word in question.words if strict else ():
            complete &= set().union(*(self._places(term).anywhere.numbers for term in word.terms))
        return strict - complete

    def _add_together(self, name: str, words: list[Wanted], total: dict[int, float]) -> None:
        """Count the words of one field again, by the square of their share of the question."""
        weight = sum(word.rarity for word in words)
        sums: dict[int, float] = {}
        short: dict[int, float] = {}
        for word in words:
            here = {term: self._places(term).fields[name] for term in word.terms}
            for each in here.values():
                short.update(zip(*each, strict=True))
            found: dict[int, float] = {}
            for term, each in here.items():
                for number in each.numbers:
                    found[number] = max(word.terms[term], found.get(number, 0))
            for number, worth in found.items():
                sums[number] = sums.get(number, 0) + worth * word.rarity
        _increase(total, ((number, its**3 / weight**2 * short[number]) for number, its in sums.items()), 1)

    def _read_places(self, term: str) -> Places:
        frequency: dict[int, float] = {}
        fields = {}
        for name, weight in WEIGHTS.items():
            worths = self._weighed(name, term)
            for number, worth in worths.items():
                frequency[number] = frequency.get(number, 0) + weight * worth
            if name in TOGETHER:
                fields[name] = Postings.of({number: self._short(name, number) for number in worths})
        return Places(Postings.of({number: saturated(its) for number, its in frequency.items()}), fields)

    def _read_surface(self, surface: str) -> Postings:
        """A word as it was typed counts once for a document, however often it stands there."""
        found = self._numbers("surface", surface)
        return Postings.of({number: self._short("surface", number) for number in found})

    def _weighed(self, name: str, term: str) -> dict[int, float]:
        """How often a term stands in a field of each document, by the length of the field."""
        found: dict[int, float] = {}
        if (name, term) in self._reader:
            matcher = self._reader.postings(name, term)
            while matcher.is_active():
                number = matcher.id()
                found[number] = matcher.weight() * self._short(name, number)
                matcher.next()
        return found

    def _short(self, name: str, number: int) -> float:
        return shortness(name, self._reader.doc_field_length(number, name), self._average[name])

    def _read_allowed(self, audience: frozenset[str]) -> frozenset[int]:
        return frozenset(number for token in audience for number in self._numbers("audience", token))

    def _numbers(self, name: str, term: str) -> list[int]:
        return [
            first + number
            for segment, first, gone in self.segments
            for number in segment.numbers(name, term)
            if number not in gone
        ]

    def _document(self, number: int) -> Document:
        return Document.from_json(json.loads(self._reader.stored_fields(number)["document"]))


def _best(alternatives: list[tuple[float, Postings]]) -> Iterable[tuple[int, float]]:
    """The worth of a word in each document: that of its best alternative there."""
    best: dict[int, float] = {}
    for weight, places in alternatives:
        for number, worth in zip(*places, strict=True):
            if worth * weight > best.get(number, 0):
                best[number] = worth * weight
    return best.items()


def _increase(total: dict[int, float], worths: Iterable[tuple[int, float]], weight: float) -> None:
    """Add to the documents that are answers."""
    for number, worth in worths:
        if number in total:
            total[number] += worth * weight
