"""The words of an index, kept in SQL tables: to complete a word, and to guess what was meant by one.

Every word is counted per audience, so neither a completion nor a correction can come from a document
that the reader may not see. Corrections use delete-one keys as in SymSpell (Garbe 2012): two words one
edit apart share a key after at most one letter is left out of each.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from ..database import Base
from .words import fold

SHORTEST_CORRECTED = 4
SHORTEST_TWICE_WRONG = 7
_LONGEST_KEPT = 40
_AT_ONCE = 400
T = TypeVar("T")

# A normal form is kept beside the words under this sign, so that a form never met before is still known.
# The sign alone stands for the document itself: its count is how many documents there are.
TERM = "="

# Words sort by code point in both databases, which makes a prefix a range.
_Word = String(64).with_variant(String(64, collation="C"), "postgresql")

words = Table(
    "search_word",
    Base.metadata,
    Column("lang", String(2), primary_key=True),
    Column("word", _Word, primary_key=True),
    Column("audience", String(64), primary_key=True),
    Column("folded", _Word, nullable=False),
    Column("documents", Integer, nullable=False),
    Index(None, "lang", "folded"),
    sqlite_with_rowid=False,
)
keys = Table(
    "search_key",
    Base.metadata,
    Column("lang", String(2), primary_key=True),
    Column("key", _Word, primary_key=True),
    Column("word", _Word, primary_key=True),
    Index(None, "lang", "word"),
    sqlite_with_rowid=False,
)
entries = Table(
    "search_entry",
    Base.metadata,
    Column("lang", String(2), primary_key=True),
    Column("document", String(80), primary_key=True),
    Column("audience", Text, nullable=False),
    Column("words", Text, nullable=False),
)
TABLES = [words, keys, entries]


class Seen(NamedTuple):
    """A word and the number of documents a reader may find it in."""

    word: str
    documents: int


class Entry(NamedTuple):
    """What one document adds: who may see it, and its words and `TERM`-signed terms."""

    audience: frozenset[str]
    words: set[str]


# Made once: making a statement takes longer than running it.
_total = func.sum(words.c.documents)
_mine = (words.c.lang == bindparam("lang")) & words.c.audience.in_(bindparam("audience", expanding=True))
_counts = select(words.c.word, _total).group_by(words.c.word)
_COUNTS = _counts.where(_mine, words.c.word.in_(bindparam("wanted", expanding=True)))
_STARTING = (
    _counts.where(_mine, words.c.word > bindparam("first"), words.c.word < bindparam("last"))
    .order_by(_total.desc(), words.c.word)
    .limit(bindparam("most"))
)
# Neither is grouped nor made distinct: to have the words in order SQLite would go through all of the language's.
_FOLDED = select(words.c.word).where(
    words.c.lang == bindparam("lang"),
    words.c.folded == bindparam("folded"),
    words.c.word != bindparam("itself"),
)
_SHARING = select(keys.c.word).where(
    keys.c.lang == bindparam("lang"), keys.c.key.in_(bindparam("shortened", expanding=True))
)


class KnownWords:
    """The words of one language as a reader with these audience tokens may know them."""

    def __init__(self, connection: Connection, lang: str, audience: Iterable[str]) -> None:
        self._connection = connection
        self._lang = lang
        self._mine = {"lang": lang, "audience": list(audience)}

    def documents(self, wanted: Iterable[str]) -> dict[str, int]:
        """In how many documents each of the `wanted` words or signed terms is; those in none are left out."""
        rows = self._connection.execute(_COUNTS, self._mine | {"wanted": list(wanted)})
        return {word: int(count) for word, count in rows}

    def starting(self, prefix: str, limit: int) -> list[Seen]:
        """The most frequent words that begin with `prefix`, itself excepted."""
        values = self._mine | {"first": prefix, "last": prefix + "\U0010ffff", "most": limit}
        return [Seen(word, int(count)) for word, count in self._connection.execute(_STARTING, values)]

    def folded(self, word: str, limit: int) -> list[Seen]:
        """Words that look like `word` when typed without the language's own letters."""
        like = {"lang": self._lang, "folded": fold(self._lang, word), "itself": word}
        return self._most_frequent(set(self._connection.scalars(_FOLDED, like)), limit)

    def similar(self, word: str, limit: int) -> list[Seen]:
        """Words one edit from `word`, or two when it is long and nothing is nearer; most frequent first."""
        if len(word) < SHORTEST_CORRECTED:
            return []
        for reach in (1, 2) if len(word) >= SHORTEST_TWICE_WRONG else (1,):
            # One statement for both steps is a join that a database without statistics may plan disastrously.
            shared = {"lang": self._lang, "shortened": list(_shortened(word, reach))}
            others = set(self._connection.scalars(_SHARING, shared))
            near = {other for other in others if 0 < distance(word, other) <= reach}
            if found := self._most_frequent(near, limit):
                return found
        return []

    def _most_frequent(self, some: set[str], limit: int) -> list[Seen]:
        """Those of the words that this reader may know, by the number of documents."""
        counts = self.documents(sorted(some)[:_AT_ONCE]) if some else {}
        return sorted(
            (Seen(*each) for each in counts.items()), key=lambda seen: (-seen.documents, seen.word)
        )[:limit]


def put(to: Connection, lang: str, documents: Mapping[str, Entry | None]) -> None:
    """Make these entries (by document key) the truth; None forgets a document. Twice is the same as once."""
    change: Counter[tuple[str, str]] = Counter()
    for some in _batches(list(documents)):
        chosen = (entries.c.lang == lang) & entries.c.document.in_(some)
        for row in to.execute(select(entries).where(chosen)).all():
            change.subtract((word, who) for who in row.audience.split() for word in row.words.split())
        to.execute(delete(entries).where(chosen))
    kept = {key: _kept(entry) for key, entry in documents.items() if entry}
    for entry in kept.values():
        change.update((word, who) for who in entry.audience for word in entry.words)
    _insert(to, entries, _rows(lang, kept))
    _count(to, lang, {pair: by for pair, by in change.items() if by})


def fill(to: Connection, lang: str, batches: Iterable[Mapping[str, Entry]]) -> None:
    """Write the vocabulary of a language that has none, whose documents come in batches, each once.

    Nothing is looked up, and only the words' counts are held in memory: there may be a million documents.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for batch in batches:
        kept = {key: _kept(entry) for key, entry in batch.items()}
        for entry in kept.values():
            counts.update((word, who) for who in entry.audience for word in entry.words)
        _insert(to, entries, _rows(lang, kept))
    for pairs in _batches(sorted(counts)):
        _insert(to, words, _counted(lang, {pair: counts[pair] for pair in pairs}))
    for some in _batches(sorted({word for word, _ in counts})):
        _key(to, lang, set(), set(some))


def _kept(entry: Entry) -> Entry:
    return Entry(entry.audience, {word for word in entry.words if len(word) <= _LONGEST_KEPT})


def _rows(lang: str, kept: Mapping[str, Entry]) -> list[dict[str, Any]]:
    return [
        {"lang": lang, "document": key, "audience": " ".join(sorted(who)), "words": " ".join(sorted(its))}
        for key, (who, its) in kept.items()
    ]


def _counted(lang: str, counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {"lang": lang, "word": word, "audience": who, "folded": fold(lang, word), "documents": count}
        for (word, who), count in counts.items()
    ]


def forget(to: Connection, lang: str) -> None:
    """Empty the vocabulary of one language."""
    for table in TABLES:
        to.execute(delete(table).where(table.c.lang == lang))


def _count(to: Connection, lang: str, change: dict[tuple[str, str], int]) -> None:
    """Add to the counts of (word, audience) pairs; a word nobody can find any more goes away."""
    changes: dict[str, dict[str, int]] = {}
    for (word, who), by in change.items():
        changes.setdefault(word, {})[who] = by
    for some in _batches(sorted(changes)):
        chosen = (words.c.lang == lang) & words.c.word.in_(some)
        before = to.execute(select(words.c.word, words.c.audience, words.c.documents).where(chosen)).all()
        counts = Counter({(word, who): documents for word, who, documents in before})
        counts.update({(word, who): by for word in some for who, by in changes[word].items()})
        after = {pair: count for pair, count in counts.items() if count > 0}
        to.execute(delete(words).where(chosen))
        _insert(to, words, _counted(lang, after))
        _key(to, lang, {row.word for row in before}, {word for word, _ in after})


def _key(to: Connection, lang: str, before: set[str], after: set[str]) -> None:
    gone = before - after
    if gone:
        to.execute(delete(keys).where(keys.c.lang == lang, keys.c.word.in_(gone)))
    new = [word for word in after - before if not word.startswith(TERM)]
    _insert(
        to, keys, [{"lang": lang, "key": key, "word": word} for word in new for key in _shortened(word, 1)]
    )


def _insert(to: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if to.dialect.name != "postgresql":
        to.execute(insert(table), rows)
        return
    # A language brings some 300,000 keys: COPY takes a tenth of the time of inserts.
    columns = list(rows[0])
    cursor = to.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[column] for column in columns])


def distance(one: str, other: str) -> int:
    """Edits between two words: a letter more, less or other, or two neighbours swapped (optimal alignment)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    older: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, older, row = older, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(older[j] + 1, row[j - 1] + 1, older[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _shortened(word: str, letters: int) -> set[str]:
    """The word, and everything left of it when up to `letters` letters are taken out; short ones have none."""
    found = {word}
    if len(word) < SHORTEST_CORRECTED - 1:
        return found
    for _ in range(letters):
        found |= {w[:i] + w[i + 1 :] for w in found for i in range(len(w))}
    return found


def _batches(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
