"""Work of the knowledge base behind the pages."""

from ..core.database import transaction
from ..core.jobs import job
from . import drafts, indexing, reviewing, service
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


@job("kb.review", every="7 * * * *")
def review() -> None:
    """Remind owners of articles whose review is due."""
    reviewing.remind()


@job("kb.tidy", every="50 2 * * *")
def tidy() -> None:
    """Forget drafts that nobody came back to."""
    with transaction():
        drafts.tidy()
