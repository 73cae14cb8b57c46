"""What an engine promises; Whoosh and PostgreSQL both keep it."""

from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from .documents import Document, Found, Narrowing
from .question import Question, Words
from .vocabulary import TERM, Entry
from .words import analyse

#: Raised when what stands in an index changes its form: an index of another form is built again.
FORM = 7

Progress = Callable[[int], None]


class IndexMissing(Exception):
    """There is no index to read, or it is damaged; it has to be built again."""


class IndexBusy(Exception):
    """Somebody else is writing; try again later. Nothing was written."""


class Engine(Protocol):
    """An index per language. `audience` is always the set of tokens a viewer has."""

    def words(self, lang: str, audience: Set[str]) -> AbstractContextManager[Words]:
        """The vocabulary as this viewer may know it. Raises IndexMissing."""

    def find(
        self, question: Question, audience: Set[str], only: Narrowing, limit: int, offset: int = 0
    ) -> Found:
        """The best documents of those wanted; counts per kind are of all. Raises IndexMissing."""

    def ids(self, question: Question, audience: Set[str], kind: str) -> list[int]:
        """Of every document of a kind that holds all the words, or has a code; in no order. Raises IndexMissing."""

    def write(self, lang: str, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
        """Add or replace documents and remove the keys in `gone`; twice is the same as once. Raises IndexBusy."""

    def rebuild(self, lang: str, documents: Iterable[Document], progress: Progress) -> None:
        """Replace the whole index of a language; readers see the old one until it is done. Raises IndexBusy."""


@dataclass(frozen=True)
class Analysed:
    """A document as an engine stores it: terms per field, separated by spaces."""

    title: str
    headings: str
    body: str
    surface: str
    entry: Entry


def analysed(document: Document) -> Analysed:
    """Take the words of a document apart, once, for index and vocabulary alike."""
    texts = {"title": document.title, "headings": "\n".join(document.headings), "body": document.body}
    tokens = {name: list(analyse(document.lang, text)) for name, text in texts.items()}
    terms = {name: [term for token in its for term in token.terms] for name, its in tokens.items()}
    surface = [token.surface for name in ("title", "headings") for token in tokens[name]]
    words = {token.surface for its in tokens.values() for token in its}
    words |= {TERM, *(TERM + term for its in terms.values() for term in its)}
    return Analysed(
        **{name: " ".join(its) for name, its in terms.items()},
        surface=" ".join(surface),
        entry=Entry(document.audience, words),
    )


def in_batches(documents: Iterable[Document], size: int = 200) -> Iterator[list[Document]]:
    """Group a stream, so that neither memory nor a statement grows with it."""
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
