"""Work of the knowledge base behind the pages."""

from ..core.database import transaction
from ..core.i18n import LOCALES
from ..core.jobs import job
from . import drafts, indexing, printing, relating, reviewing, service, sittings
from .exchange import uploads


@job(service.INDEX, every="* * * * *")
def index() -> None:
    """Index what changed; the schedule finds what a lost ring left stale."""
    indexing.index_stale()


@job("kb.publish", every="* * * * *")
def publish() -> None:
    """Publish what is due."""
    reviewing.publish_due()


@job(uploads.JOB, every="* * * * *")
def take_in() -> None:
    """Check uploaded articles, and put in those that were confirmed."""
    uploads.work()


@job(printing.JOB, every="* * * * *")
def print_articles() -> None:
    """Make the PDFs that readers asked for."""
    printing.work()


@job("kb.review", every="7 * * * *")
def review() -> None:
    """Remind owners of articles whose review is due."""
    reviewing.remind()


@job("kb.tidy", every="50 2 * * *")
def tidy() -> None:
    """Forget drafts that nobody came back to; let old readings fade, and see what goes with what now."""
    with transaction():
        drafts.tidy()
    with transaction():
        sittings.fade()
    for lang in LOCALES:
        relating.relate(lang)


@job("kb.relate", every="*/10 * * * *")
def relate() -> None:
    """See what goes with texts that are new or have changed."""
    for lang in sorted(relating.learn()):
        relating.relate(lang)


@job("kb.sittings")
def count_sittings(pairs: sittings.Pairs) -> None:
    """Add what a web process has counted."""
    with transaction():
        sittings.count(pairs)
