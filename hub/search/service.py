"""What the search page, the list while typing and the API have in common."""

from itertools import groupby
from typing import Any

from ..core import fulltext
from ..core.fulltext import Answer, Hit, Source
from ..core.i18n import LOCALES, locale

PAGE = 10
SUGGESTED = 8
_MOST = 50
_DEEPEST = 20


def find(user: Any, text: str, *, lang: str = "", kind: str = "", shelf: str = "", page: int = 1) -> Answer:
    """A page of results."""
    page = min(max(page, 1), _DEEPEST)
    return _find(user, text, lang, kind, shelf=shelf, limit=PAGE, offset=(page - 1) * PAGE)


def suggest(user: Any, text: str) -> Answer:
    """The best few while somebody types, without fragments."""
    return _find(user, text, "", "", limit=SUGGESTED, typing=True, fragments=False)


def listed(user: Any, text: str, *, lang: str, kind: str, limit: int, **narrowing: Any) -> Answer:
    """The same results for a program; `narrowing` is a `shelf`, and whether it is `typing`."""
    return _find(user, text, lang, kind, limit=min(max(limit, 1), _MOST), **narrowing)


def grouped(answer: Answer) -> list[tuple[Source, list[Hit]]]:
    """Hits by kind: the kind of the best hit first, each group in the order of its hits."""
    known = fulltext.sources()
    order = list(dict.fromkeys(hit.document.kind for hit in answer.hits))
    hits = sorted(answer.hits, key=lambda hit: order.index(hit.document.kind))
    return [(known[kind], list(some)) for kind, some in groupby(hits, key=lambda hit: hit.document.kind)]


def _find(user: Any, text: str, lang: str, kind: str, **options: Any) -> Answer:
    kinds = [kind] if kind in fulltext.sources() else []
    is_chosen = lang in LOCALES
    return fulltext.find(
        user, lang if is_chosen else locale(), text, kinds=kinds, insist=is_chosen, **options
    )
