"""Which rooms can be searched: each room registers its kind, and only it knows what is in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..i18n import Text
from .documents import Document


@dataclass(frozen=True)
class Source:
    """A kind of document: its name for readers, its icon, and all its documents of a language.

    `audience` adds what a viewer may see of this kind beyond `public`, `partners` and `staff`.
    `some` makes the documents of these ids, in any language, for kinds that follow a model (see `changes`).
    With `needs_all_words` a document must hold every word of the question.
    """

    kind: str
    label: Text
    icon: str
    documents: Callable[[str], Iterator[Document]]
    audience: Callable[[object], set[str]] = lambda _viewer: set()
    some: Callable[[list[int]], Iterator[Document]] = lambda _ids: iter(())
    needs_all_words: bool = False


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Make a kind searchable; the order of registration is the order on the page."""
    _sources[source.kind] = source


def sources() -> dict[str, Source]:
    """All kinds by name."""
    return dict(_sources)
