"""From what a person typed to what an engine looks for: words, each with its weighted alternatives."""

from dataclasses import dataclass, field
from typing import Protocol

from .vocabulary import TERM, Seen
from .words import Token, analyse, terms

LONGEST = 200
MOST_WORDS = 12

CORRECTED = 0.7
UNFOLDED = 0.9
COMPLETED = 0.8
COMPLETED_THOUGH_WHOLE = 0.3
SHORTEST_COMPLETED = 3


class Words(Protocol):
    """What a question asks about the words of an index, as one reader may know them."""

    def known(self, words: set[str]) -> set[str]: ...
    def starting(self, prefix: str, limit: int) -> list[Seen]: ...
    def folded(self, word: str, limit: int) -> list[Seen]: ...
    def similar(self, word: str, limit: int) -> list[Seen]: ...


@dataclass
class Wanted:
    """One word of a question: as written, and every term that answers it with its weight (1 is full)."""

    surface: str
    terms: dict[str, float] = field(default_factory=dict)

    def accept(self, lang: str, word: str, weight: float) -> None:
        """Let all forms of `word` answer too."""
        for term in terms(lang, word):
            self.terms[term] = max(weight, self.terms.get(term, 0))


@dataclass
class Question:
    """What to look for in one language.

    `instead` tells which words were looked for besides those typed; `codes` must match a whole code.
    """

    lang: str
    words: list[Wanted] = field(default_factory=list)
    instead: dict[str, list[str]] = field(default_factory=dict)
    codes: tuple[str, ...] = ()

    @property
    def terms(self) -> dict[str, float]:
        """Every wanted term with its best weight."""
        found: dict[str, float] = {}
        for word in self.words:
            for term, weight in word.terms.items():
                found[term] = max(weight, found.get(term, 0))
        return found


def understand(lang: str, text: str, words: Words, *, typing: bool = False) -> Question:
    """Read `text` as a question in `lang`, correcting and completing from `words`.

    With `typing` the last word may be unfinished, unless something follows it.
    """
    tokens = list(analyse(lang, text[:LONGEST]))[:MOST_WORDS]
    known = words.known({form for token in tokens for form in forms(token)})
    question = Question(lang, codes=tuple(text[:LONGEST].lower().split()[:MOST_WORDS]))
    unfinished = typing and bool(tokens) and tokens[-1].end == len(text[:LONGEST])
    for position, token in enumerate(tokens):
        wanted = Wanted(token.surface)
        wanted.accept(lang, token.surface, 1)
        is_known, is_last = not known.isdisjoint(forms(token)), position == len(tokens) - 1
        completed = unfinished and is_last and _complete(lang, wanted, words, is_known)
        if not completed and not is_known:
            _correct(lang, wanted, words, question)
        question.words.append(wanted)
    return question


def forms(token: Token) -> set[str]:
    """What the vocabulary may know a word by."""
    return {token.surface, *(TERM + term for term in token.terms)}


def _complete(lang: str, wanted: Wanted, words: Words, is_known: bool) -> bool:
    if len(wanted.surface) < SHORTEST_COMPLETED:
        return False
    limit, weight = (10, COMPLETED_THOUGH_WHOLE) if is_known else (20, COMPLETED)
    found = words.starting(wanted.surface, limit)
    for seen in found:
        wanted.accept(lang, seen.word, weight)
    return bool(found)


def _correct(lang: str, wanted: Wanted, words: Words, question: Question) -> None:
    """An unknown word: what it is in the language's own letters, or else what was probably meant."""
    found, weight = words.folded(wanted.surface, 3), UNFOLDED
    if not found and not wanted.surface.isdigit():
        found, weight = words.similar(wanted.surface, 3), CORRECTED
    for seen in found:
        wanted.accept(lang, seen.word, weight)
    if found:
        question.instead[wanted.surface] = [seen.word for seen in found]
