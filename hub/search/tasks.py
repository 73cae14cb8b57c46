"""Keeping the index whole, in the worker."""

import structlog

from ..core import fulltext
from ..core.fulltext import IndexBusy
from ..core.i18n import LOCALES
from ..core.jobs import job
from . import answers, words  # noqa: F401 - words give the engine their advice
from . import log as searches

log = structlog.get_logger()


@job(fulltext.REBUILD)
def rebuild(lang: str) -> None:
    """Build an index that a reader found missing or damaged, unless somebody has done so since."""
    if lang in LOCALES and not fulltext.is_there(lang):
        _rebuild(lang)


@job(fulltext.WRITE, every="* * * * *")
def write() -> None:
    """Index what changed; the schedule finds what a lost ring left behind."""
    fulltext.write_changes()


@job("search.nightly", every="20 3 * * *")
def nightly() -> None:
    """Build every index anew: what anything may have left behind goes."""
    for lang in LOCALES:
        _rebuild(lang)


def _rebuild(lang: str) -> None:
    try:
        fulltext.rebuild(lang)
    except IndexBusy:
        log.info("search index is being written, not rebuilt", lang=lang)
    else:
        log.info("search index rebuilt", lang=lang)


job(searches.NOTE)(searches.store)
job(searches.OPENED)(searches.store_opened)


@job("search.join", every="*/10 * * * *")
def join() -> None:
    """See which searches were followed by a ticket."""
    searches.join_tickets()


@job("search.tell", every="* * * * *")
def tell() -> None:
    """Tell people of answers they wait for."""
    answers.tell()


@job("search.forget", every="50 3 * * *")
def forget() -> None:
    """Keep no search longer than the setting says."""
    log.info("searches forgotten", count=searches.forget())
