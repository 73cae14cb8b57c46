"""Which rooms can be searched: each room registers its kind, and only it knows what is in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select

from ..i18n import Text
from .documents import Document


@dataclass(frozen=True, eq=False)
class Source:
    """A kind of document: its name for readers, its icon, and all its documents of a language.

    `audience` adds what a viewer may see of this kind beyond `public`, `partners` and `staff`.
    `some` makes the documents of these ids, in any language, for kinds that follow a model (see `changes`).
    With `needs_all_words` a document must hold every word of the question.
    `rows` selects the ids of all rows that have documents, for `visible` to narrow; `is_behind` is the condition
    on them that the index may still hold what they were, which a kind that follows a model need not say.
    """

    kind: str
    label: Text
    icon: str
    documents: Callable[[str], Iterator[Document]]
    audience: Callable[[object], set[str]] = lambda _viewer: set()
    some: Callable[[list[int]], Iterator[Document]] = lambda _ids: iter(())
    needs_all_words: bool = False
    rows: Select[Any] | None = None
    is_behind: ColumnElement[bool] | None = None


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Make a kind searchable; the order of registration is the order on the page."""
    _sources[source.kind] = source


def sources() -> dict[str, Source]:
    """All kinds by name."""
    return dict(_sources)
