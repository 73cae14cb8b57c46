"""From what a person typed to what an engine looks for: words, each with its weighted alternatives."""

import re
from dataclasses import dataclass, field
from math import log
from statistics import fmean
from typing import Protocol

from .advice import Advice, advice
from .scoring import LEAST_SHARE, MOST_CANDIDATES, rarity
from .vocabulary import TERM, Seen
from .words import Token, analyse, beginnings, begins, is_address, terms

LONGEST = 200
MOST_WORDS = 12

CORRECTED = 0.7
UNFOLDED = 0.9
EQUAL = 0.8
COMPLETED = 0.8
COMPLETED_THOUGH_WHOLE = 0.3
SHORTEST_COMPLETED = 3
_DIGITS = re.compile(r"\d")


class Words(Protocol):
    """What a question asks about the words of an index, as one reader may know them."""

    def documents(self, words: set[str]) -> dict[str, int]: ...
    def starting(self, prefix: str, limit: int) -> list[Seen]: ...
    def folded(self, word: str, limit: int) -> list[Seen]: ...
    def similar(self, word: str, limit: int) -> list[Seen]: ...


@dataclass
class Wanted:
    """One word of a question: as written, and every term that answers it with its weight (1 is full).

    `words` are those whose forms the terms are.
    `having` is the number of documents that hold it, `rarity` what it counts for beside the others.
    """

    surface: str
    terms: dict[str, float] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    having: int = 0
    rarity: float = 1.0

    def accept(self, lang: str, word: str, weight: float) -> None:
        """Let all forms of `word` answer too."""
        self.words.add(word)
        self.accept_terms(lang, word, weight)

    def accept_terms(self, lang: str, word: str, weight: float) -> None:
        """The same for a word whose forms begin like one that was accepted."""
        for term in terms(lang, word):
            self.terms[term] = max(weight, self.terms.get(term, 0))


@dataclass
class Question:
    """What to look for in one language.

    `instead` tells which words were looked for besides those typed; `codes` must match a whole code.
    `best` are keys of documents that come first; documents of the `strict` kinds must hold every word;
    those with the keys `hidden` are no answers, whatever the index still says.
    """

    lang: str
    words: list[Wanted] = field(default_factory=list)
    instead: dict[str, list[str]] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    best: tuple[str, ...] = ()
    strict: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    @property
    def terms(self) -> dict[str, float]:
        """Every wanted term with its best weight."""
        found: dict[str, float] = {}
        for word in self.words:
            for term, weight in word.terms.items():
                found[term] = max(weight, found.get(term, 0))
        return found

    @property
    def beginnings(self) -> frozenset[str]:
        """How a word that answers may begin."""
        terms = {begins(self.lang, term) for term in self.terms}
        return frozenset(terms).union(
            *(beginnings(self.lang, each) for word in self.words for each in word.words)
        )

    @property
    def weight(self) -> float:
        """What all words count for together."""
        return sum(word.rarity for word in self.words)

    @property
    def telling(self) -> list[Wanted]:
        """The rarest words there are: one of them at least must be in an answer.

        The others make up less than LEAST_SHARE of the question, or are in more documents than anybody
        will look through: that many are not worth weighing.
        """
        there = sorted((word for word in self.words if word.having), key=lambda word: -word.rarity)
        enough = (1 - LEAST_SHARE) * sum(word.rarity for word in there)
        chosen: list[Wanted] = []
        weight, documents = 0.0, 0
        for word in there:
            if chosen and (weight > enough or documents + word.having > MOST_CANDIDATES):
                break
            chosen.append(word)
            weight, documents = weight + word.rarity, documents + word.having
        return chosen


@dataclass(frozen=True)
class Reading:
    """A text taken for words of one language, and which of them are known: in how many documents each is."""

    lang: str
    tokens: list[Token]
    counts: dict[str, int]
    codes: tuple[str, ...]
    is_unfinished: bool
    advice: Advice

    @classmethod
    def of(cls, lang: str, text: str, words: Words, *, typing: bool = False) -> "Reading":
        """Read `text` in `lang`. With `typing` the last word may be unfinished, unless something follows it."""
        text = text[:LONGEST]
        tokens = list(analyse(lang, text))[:MOST_WORDS]
        counts = words.documents({TERM, *(form for token in tokens for form in forms(token))})
        unfinished = typing and bool(tokens) and tokens[-1].end == len(text)
        return cls(lang, tokens, counts, _codes(text), unfinished, advice(lang))

    def knows(self, token: Token) -> bool:
        """Is it in the index, or equal to a word that may be?"""
        return not forms(token).isdisjoint(self.counts) or bool(self.advice.others(token))

    def share(self, words: Words) -> float:
        """How much of the text is known: 1 for all of it. Numbers say nothing, nor does an unfinished word beside others."""
        tokens = self._telling()
        if self.is_unfinished and len(tokens) == 1 and not self.knows(tokens[0]):
            return float(can_be_completed(tokens[0].surface) and bool(words.starting(tokens[0].surface, 1)))
        return sum(map(self.knows, tokens)) / len(tokens) if tokens else 0.0

    def share_unfolded(self, words: Words) -> float:
        """How much of the text is known if it may be typed without the language's own letters."""
        tokens = self._telling()
        known = [self.knows(token) or bool(words.folded(token.surface, 1)) for token in tokens]
        return sum(known) / len(tokens) if tokens else 0.0

    def familiarity(self) -> float:
        """How usual the words are in this language: the mean logarithm of the part of the documents that hold them."""
        tokens, everything = self._telling(), self.counts.get(TERM, 0) + 1
        having = (max(self.counts.get(form, 0) for form in forms(token)) for token in tokens)
        return fmean(log((each + 0.5) / everything) for each in having) if tokens else 0.0

    def _telling(self) -> list[Token]:
        tokens = [token for token in self.tokens if not token.surface.isdigit()] or self.tokens
        is_cut = self.is_unfinished and len(tokens) > 1 and not self.knows(tokens[-1])
        return tokens[:-1] if is_cut else tokens


def understand(reading: Reading, words: Words) -> Question:
    """Make a question of a text, correcting and completing from `words`."""
    question = Question(reading.lang, codes=reading.codes, best=reading.advice.best(reading.tokens))
    for position, token in enumerate(reading.tokens):
        wanted = Wanted(token.surface)
        wanted.accept(reading.lang, token.surface, 1)
        for other in reading.advice.others(token):
            wanted.accept(reading.lang, other, EQUAL)
        is_known, is_last = reading.knows(token), position == len(reading.tokens) - 1
        completed = reading.is_unfinished and is_last and _complete(reading.lang, wanted, words, is_known)
        if not completed and not is_known and not _correct(reading.lang, wanted, words, question):
            question.words += _apart(reading.lang, wanted, words, question)
        else:
            question.words.append(wanted)
    _weigh(question, words, reading.counts)
    return question


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.lower().split()[:MOST_WORDS])


def can_be_completed(word: str) -> bool:
    """Long enough to mean something; and a number is a number, never the beginning of another."""
    return len(word) >= SHORTEST_COMPLETED and not word.isdigit()


def _weigh(question: Question, words: Words, known: dict[str, int]) -> None:
    """Tell each word its rarity: that of its most frequent alternative."""
    others = {TERM + term for term in question.terms} - known.keys()
    counts = known | (words.documents(others) if others else {})
    for word in question.words:
        word.having = max((counts.get(TERM + term, 0) for term in word.terms), default=0)
        word.rarity = rarity(word.having, counts.get(TERM, 0))


def forms(token: Token) -> set[str]:
    """What the vocabulary may know a word by."""
    return {token.surface, *(TERM + term for term in token.terms)}


def _complete(lang: str, wanted: Wanted, words: Words, is_known: bool) -> bool:
    if not can_be_completed(wanted.surface):
        return False
    limit, weight = (10, COMPLETED_THOUGH_WHOLE) if is_known else (20, COMPLETED)
    found = words.starting(wanted.surface, limit)
    for seen in found:
        wanted.accept_terms(lang, seen.word, weight)
    return bool(found)


def _apart(lang: str, wanted: Wanted, words: Words, question: Question) -> list[Wanted]:
    """An unknown word that is two known ones run together: signup. Else the word itself."""
    whole = wanted.surface
    cuts = [(whole[:at], whole[at:]) for at in range(2, len(whole) - 1)] if whole.isalpha() else []
    counts = words.documents({part for cut in cuts for part in cut}) if cuts else {}
    best = max(cuts, key=lambda cut: min(counts.get(part, 0) for part in cut), default=("", ""))
    if not all(part in counts for part in best):
        return [wanted]
    question.instead[whole] = [" ".join(best)]
    found = [Wanted(part) for part in best]
    for part in found:
        part.accept(lang, part.surface, 1)
    return found


def _correct(lang: str, wanted: Wanted, words: Words, question: Question) -> bool:
    """An unknown word: what it is in the language's own letters, or else what was probably meant."""
    if is_address(wanted.surface):
        return False
    found, weight = words.folded(wanted.surface, 3), UNFOLDED
    if not found:
        found, weight = _with_same_digits(wanted.surface, words.similar(wanted.surface, 6)), CORRECTED
    for seen in found:
        wanted.accept(lang, seen.word, weight)
    if found:
        question.instead[wanted.surface] = [seen.word for seen in found]
    return bool(found)


def _with_same_digits(word: str, found: list[Seen]) -> list[Seen]:
    """At most three of the guesses; a number is never taken for a mistyped one."""
    digits = _DIGITS.findall(word)
    return [seen for seen in found if _DIGITS.findall(seen.word) == digits][:3]
