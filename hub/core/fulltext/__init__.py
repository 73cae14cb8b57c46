"""Full text in four languages: one index per language, two engines behind one small interface.

Rooms register what they have (`sources.register`) and, in the worker, write it: `engine().write(...)`.
Pages ask `find(...)`. PostgreSQL is the engine of a hub on PostgreSQL, Whoosh of any other.
"""

from collections.abc import Iterable
from typing import Any

import structlog
from flask import Flask, current_app

from ..jobs import ring
from ..settings import Settings
from . import changes, postgres_engine, vocabulary  # noqa: F401 - their tables belong to the database
from .advice import Advice, advise
from .behind import hidden_from
from .changes import WRITE, follow, note
from .documents import PARTNERS, PUBLIC, STAFF, Document, Section
from .engine import Engine, IndexBusy, IndexMissing, Progress
from .registry import Source, register, sources
from .search import Answer, Hit, audience_of
from .search import ids as _ids
from .search import search as _search
from .whoosh_engine import WhooshEngine
from .words import LANGUAGES

__all__ = [
    "PARTNERS", "PUBLIC", "STAFF", "WRITE", "Advice", "Answer", "Document", "Engine", "Hit", "IndexBusy", "IndexMissing",
    "Section", "Source", "advise", "engine", "find", "follow", "ids", "is_there", "note", "rebuild", "register", "sources", "write", "write_changes",
]  # fmt: skip

log = structlog.get_logger()

#: The job that builds an index again; the search room has it.
REBUILD = "search.rebuild"


def engine() -> Engine:
    """The engine of the running application."""
    return current_app.extensions["hub.fulltext"]


def find(user: Any, lang: str, text: str, *, insist: bool = False, **options: Any) -> Answer:
    """Search as `user`; options as in `search.search`. A missing index is asked for and answers nothing yet.

    Unless the caller insists on `lang`, the words may turn out to be of another language.
    """
    try:
        # Where no fragments are wanted, nobody is told how much there is of other kinds either.
        kinds = () if options.get("fragments", True) else options.get("kinds", ())
        hidden = hidden_from(user, kinds)
        return _search(
            engine(), lang, text, audience_of(user, kinds), insist=insist, hidden=hidden, **options
        )
    except IndexMissing:
        ring(REBUILD, lang=lang)
        return Answer(text, text, lang, is_complete=False)


def ids(user: Any, lang: str, text: str, kind: str) -> list[int]:
    """The numbers of everything of a kind in which all the words stand and that `user` may see; in no order."""
    try:
        audience, hidden = audience_of(user, (kind,)), hidden_from(user, (kind,))
        return _ids(engine(), lang, text, audience, kind=kind, hidden=hidden)
    except IndexMissing:
        ring(REBUILD, lang=lang)
        return []


def write(lang: str, documents: Iterable[Document], gone: Iterable[str] = ()) -> None:
    """Put documents into the index of a language, and take the keys in `gone` out; for jobs.

    A missing or damaged index is built anew. Raises IndexBusy: nothing was written, the rows stay stale.
    """
    try:
        engine().write(lang, documents, gone)
    except IndexMissing:
        log.info("building the search index", lang=lang)
        rebuild(lang)


def write_changes() -> int:
    """Index what the followed models have changed; how many documents' rows that were. For jobs.

    While somebody else is writing a language, the others go on and the notes stay for the next time.
    """
    done, busy, last = 0, set[str](), ("", 0)
    while waiting := changes.pending(last):
        for kind, versions in waiting.items():
            source = sources().get(kind)
            found = list(source.some(list(versions))) if source else []
            for lang in LANGUAGES:
                here = [document for document in found if document.lang == lang]
                gone = {f"{kind}:{number}" for number in versions} - {document.key for document in here}
                if lang not in busy and not _try_to_write(lang, here, gone):
                    busy.add(lang)
            last = kind, max(versions)
            if not busy:
                changes.forget(kind, versions)
                done += len(versions)
    return done


def _try_to_write(lang: str, documents: list[Document], gone: Iterable[str]) -> bool:
    try:
        write(lang, documents, gone)
    except IndexBusy:
        return False
    return True


def is_there(lang: str) -> bool:
    """Can the index of a language be read?"""
    try:
        with engine().words(lang, set()) as words:
            words.documents(set())
    except IndexMissing:
        return False
    return True


def rebuild(lang: str, progress: Progress = lambda _: None) -> None:
    """Build the index of a language from every room's own data. Raises IndexBusy."""
    everything = (document for source in sources().values() for document in source.documents(lang))
    engine().rebuild(lang, everything, progress)


def init_app(app: Flask, settings: Settings) -> None:
    """Choose the engine."""
    if settings.is_sqlite:
        app.extensions["hub.fulltext"] = WhooshEngine(settings.home / "index")
    else:
        app.extensions["hub.fulltext"] = postgres_engine.PostgresEngine()
