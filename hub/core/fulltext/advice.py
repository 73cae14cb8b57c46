"""What the team knows better than any index: words that mean the same, and the best answer to a question."""

from collections.abc import Callable, Iterable
from functools import cached_property

from .words import Token, analyse, terms

_NONE: frozenset[str] = frozenset()


class Advice:
    """The advice for one language: groups of equal words, and (question, document key) pairs."""

    def __init__(
        self, lang: str, equal: Iterable[Iterable[str]] = (), best: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._lang = lang
        self._equal = [frozenset(words) for words in equal]
        self._best = list(best)

    def others(self, token: Token) -> frozenset[str]:
        """Words that mean the same as this one in any of its forms."""
        return _NONE.union(*(self._groups.get(term, _NONE) for term in token.terms)) if self._equal else _NONE

    def best(self, tokens: list[Token]) -> tuple[str, ...]:
        """Keys of the best answers to a question in these words, whatever their forms and order."""
        asked = [set(token.terms) for token in tokens]
        return tuple(key for question, key in self._best if self._is_same(asked, question))

    def _is_same(self, asked: list[set[str]], question: str) -> bool:
        wanted = [set(token.terms) for token in analyse(self._lang, question)]
        return (
            len(asked) == len(wanted)
            and all(any(mine & its for its in asked) for mine in wanted)
            and all(any(mine & its for its in wanted) for mine in asked)
        )

    @cached_property
    def _groups(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for group in self._equal:
            for word in group:
                for term in terms(self._lang, word):
                    found[term] = found.get(term, _NONE) | group
        return found


_adviser: Callable[[str], Advice] = Advice


def advise(adviser: Callable[[str], Advice]) -> Callable[[str], Advice]:
    """Ask `adviser(lang)` from now on; a decorator."""
    global _adviser  # noqa: PLW0603 - one room gives advice, and registers when it is imported
    _adviser = adviser
    return adviser


def advice(lang: str) -> Advice:
    """What the team says about a language, at this moment."""
    return _adviser(lang)
