"""Keeping the index whole, in the worker."""

import structlog

from ..core import fulltext
from ..core.fulltext import IndexBusy, IndexMissing
from ..core.i18n import LOCALES
from ..core.jobs import job

log = structlog.get_logger()


@job(fulltext.REBUILD)
def rebuild(lang: str) -> None:
    """Build an index that a reader found missing or damaged, unless somebody has done so since."""
    if lang in LOCALES and not _is_readable(lang):
        _rebuild(lang)


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


def _is_readable(lang: str) -> bool:
    try:
        with fulltext.engine().words(lang, set()):
            return True
    except IndexMissing:
        return False
