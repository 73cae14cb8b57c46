"""Whoosh at two sizes: `python -m bench.search_growth CASES EVERY SIZE…`, in the environment of a filled hub.

The hub's own articles are taken, over and over until there are enough, into scratch indexes.
Prints JSON: per size the p95 of a whole search and of one while typing.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

from hub.app import create_app
from hub.core import fulltext
from hub.core.fulltext import LANGUAGES, Document
from hub.core.fulltext.whoosh_engine import WhooshEngine
from hub.core.settings import Settings

from .search_inside import ask_all, cases, p95s


def main(cases_file: str, every: str, *sizes: str) -> None:
    """Fill an index of each size and ask it the same questions."""
    asked = cases(cases_file, int(every))
    result = {}
    with create_app(Settings()).app_context(), tempfile.TemporaryDirectory() as folder:
        own = {lang: list(fulltext.sources()["article"].documents(lang)) for lang in LANGUAGES}
        for size in map(int, sizes):
            engine = WhooshEngine(Path(folder) / str(size))
            for lang, articles in own.items():
                share = size // len(LANGUAGES)
                engine.rebuild(lang, islice(over_and_over(articles), share), lambda _: None)
            result[size] = p95s(asked, ask_all(engine, asked))
    json.dump(result, sys.stdout)


def over_and_over(documents: list[Document]) -> Iterator[Document]:
    """The same documents again and again, each time as others."""
    for turn in count():
        for document in documents:
            yield replace(document, id=document.id + turn * 1_000_000)


if __name__ == "__main__":
    main(*sys.argv[1:])
