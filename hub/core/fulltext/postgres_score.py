"""The SQL of a document's score: BM25F, counted from what `ts_rank` says about each word and field.

For one lexeme in one field `ts_rank` gives (1 + 1/4 + 1/9 + … + 1/n²) · 6/π² where n is how often it stands
there. What the sum still lacks to π²/6 is close to 1/n, so r / (1 − r) · 6/π² gives n back.
"""

from collections.abc import Iterable
from math import pi
from typing import Any

from .question import Question, Wanted
from .scoring import K1, SURFACE, TOGETHER, WEIGHTS, B
from .vocabulary import TERM

#: The letters by which a tsvector tells our fields apart, and what makes ts_rank see only one: {D,C,B,A}.
LETTERS = {"title": "A", "headings": "B", "body": "C"}
_ONLY = {"title": "{0,0,0,1}", "headings": "{0,0,1,0}", "body": "{0,1,0,0}", "surface": "{1,0,0,0}"}
#: A title or heading first, then the body: ts_rank's own way of telling them apart.
_ROUGHLY = "{0,0.1,0.9,1}"
_ONCE = 6 / pi**2
#: So many alternatives are looked at one by one; of more (completions), their sum has to do.
_ONE_BY_ONE = 4
_MOST_RANK = 0.8


class Values:
    """The parameters of a statement, numbered as PostgreSQL counts them; the same value is sent once."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._queries: dict[str, str] = {}

    def add(self, value: Any) -> str:
        """The placeholder of a value."""
        self.all.append(value)
        return f"${len(self.all)}"

    def texts(self, some: Iterable[str]) -> str:
        """An array of text."""
        return f"CAST({self.add(list(some))} AS text[])"

    def query(self, terms: Iterable[str]) -> str:
        """A tsquery for any of these terms; for none of them, what nothing matches."""
        return self.written(" | ".join(map(quoted, sorted(set(terms)))) or quoted(TERM))

    def written(self, query: str) -> str:
        """A tsquery as PostgreSQL writes it."""
        if query not in self._queries:
            self._queries[query] = f"CAST({self.add(query)} AS tsquery)"
        return self._queries[query]


class Score:
    """One question's score over a document whose words are `here` and whose field lengths are columns.

    `places` are columns to be computed once per document, `sql` adds them up.
    `rough` is what tells the likely documents from the others: a single look for each word.
    Only numbers and our own names are written into the SQL; what was asked is among the `values`.
    """

    def __init__(self, question: Question, average: dict[str, float], values: "Values") -> None:
        self._values = values
        self._columns: list[str] = ["0 AS none"]
        self._average = average
        words = [(word, self._groups(at, word)) for at, word in enumerate(question.words) if word.terms]
        parts = [f"{word.rarity} * {_greatest(map(_saturated, groups))}" for word, groups in words]
        parts += [self._surface(at, word) for at, word in enumerate(question.words)]
        parts += [self._together(name, words, question.weight) for name in TOGETHER if words]
        self.sql = " + ".join(parts) or "0"
        self.rough = " + ".join(self._roughly(word) for word in question.words if word.terms) or "0"
        self.places = ", ".join(self._columns)

    def _groups(self, at: int, word: Wanted) -> list[tuple[float, str]]:
        """The word's alternatives by weight, each with the prefix of its columns: one per field."""
        by_weight: dict[float, list[str]] = {}
        for term, weight in word.terms.items():
            by_weight.setdefault(weight, []).append(term)
        found = []
        for number, (weight, terms) in enumerate(by_weight.items()):
            name = f"w{at}_{number}"
            for field in WEIGHTS:
                often = f"{_ONCE} * {self._rank(field, terms)}"
                self._columns.append(f"{often} * {self._short(field)} AS {name}_{field}")
            found.append((weight, name))
        return found

    def _rank(self, field: str, terms: list[str]) -> str:
        """r / (1 − r) for the best of the alternatives in one field, written so that r is counted once."""
        if len(terms) <= _ONE_BY_ONE:
            best = _greatest(self._ts_rank(field, term) for term in terms)
        else:
            best = f"least({_MOST_RANK}, {len(terms)} * {self._ts_rank(field, *terms)})"
        return f"(1 / (1 - {best}) - 1)"

    def _ts_rank(self, field: str, *terms: str) -> str:
        return f"ts_rank('{_ONLY[field]}', here, {self._values.query(terms)})"

    def _roughly(self, word: Wanted) -> str:
        return f"{word.rarity} * ts_rank('{_ROUGHLY}', here, {self._values.query(word.terms)})"

    def _surface(self, at: int, word: Wanted) -> str:
        found = f"sign({self._ts_rank('surface', TERM + word.surface)})"
        self._columns.append(f"{found} * {self._short('surface')} AS s{at}")
        return f"{SURFACE * word.rarity} * s{at}"

    def _together(
        self, field: str, words: list[tuple[Wanted, list[tuple[float, str]]]], weight: float
    ) -> str:
        """The words of one field again, by the square of their share of the question."""
        shares = [
            f"{word.rarity} * " + _greatest(f"{each} * sign({name}_{field})" for each, name in groups)
            for word, groups in words
        ]
        return f"power({' + '.join(shares)}, 3) / {weight**2} * {self._short(field)}"

    def _short(self, field: str) -> str:
        return f"(1 / ({1 - B[field]} + {B[field] / self._average[field]} * {field}_length))"


def _saturated(group: tuple[float, str]) -> str:
    weight, name = group
    frequency = "(" + " + ".join(f"{each} * {name}_{field}" for field, each in WEIGHTS.items()) + ")"
    return f"{weight * (K1 + 1)} * {frequency} / ({frequency} + {K1})"


def _greatest(parts: Iterable[str]) -> str:
    found = list(parts)
    return f"greatest({', '.join(found)})" if len(found) > 1 else found[0]


def quoted(term: str) -> str:
    """A lexeme for a tsquery or tsvector literal."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
