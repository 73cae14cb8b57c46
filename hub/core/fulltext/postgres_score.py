"""The SQL of a document's score: BM25F, counted from what `ts_rank` says about each word and field.

For one lexeme in one field `ts_rank` gives (1 + 1/4 + 1/9 + … + 1/n²) · 6/π² where n is how often it stands
there. What the sum still lacks to π²/6 is close to 1/n, so r / (1 − r) · 6/π² gives n back.
"""

from collections.abc import Iterable
from math import pi

from .question import Question, Wanted
from .scoring import K1, SURFACE, TOGETHER, WEIGHTS, B
from .vocabulary import TERM

#: The letters by which a tsvector tells our fields apart, and what makes ts_rank see only one: {D,C,B,A}.
LETTERS = {"title": "A", "headings": "B", "body": "C"}
_ONLY = {"title": "{0,0,0,1}", "headings": "{0,0,1,0}", "body": "{0,1,0,0}", "surface": "{1,0,0,0}"}
_ONCE = 6 / pi**2
#: So many alternatives are looked at one by one; of more (completions), their sum has to do.
_ONE_BY_ONE = 4
_MOST_RANK = 0.8


class Score:
    """One question's score over a document `here`, whose field lengths are columns.

    `places` are columns to be computed once per document, `sql` adds them up, `values` are the parameters.
    Only numbers and our own names are written into the SQL.
    """

    def __init__(self, question: Question, average: dict[str, float]) -> None:
        self.values: dict[str, str] = {}
        self._columns: list[str] = ["0 AS none"]
        self._average = average
        words = [(word, self._groups(at, word)) for at, word in enumerate(question.words) if word.terms]
        parts = [f"{word.rarity} * {_greatest(map(_saturated, groups))}" for word, groups in words]
        parts += [self._surface(at, word) for at, word in enumerate(question.words)]
        parts += [self._together(name, words, question.weight) for name in TOGETHER if words]
        self.sql = " + ".join(parts) or "0"
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
                often = f"{_ONCE} * {self._rank(name, field, terms)}"
                self._columns.append(f"{often} * {self._short(field)} AS {name}_{field}")
            found.append((weight, name))
        return found

    def _rank(self, name: str, field: str, terms: list[str]) -> str:
        """r / (1 − r) for the best of the alternatives in one field."""
        if len(terms) <= _ONE_BY_ONE:
            ranks = [self._ts_rank(f"{name}_{each}", field, term) for each, term in enumerate(terms)]
            return _greatest(f"({rank} / (1 - {rank}))" for rank in ranks)
        many = f"least({_MOST_RANK}, {len(terms)} * {self._ts_rank(name, field, *terms)})"
        return f"({many} / (1 - {many}))"

    def _ts_rank(self, name: str, field: str, *terms: str) -> str:
        self.values[name] = " | ".join(quoted(term) for term in terms)
        return f"ts_rank('{_ONLY[field]}', here, CAST(:{name} AS tsquery))"

    def _surface(self, at: int, word: Wanted) -> str:
        found = f"sign({self._ts_rank(f's{at}', 'surface', TERM + word.surface)})"
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
