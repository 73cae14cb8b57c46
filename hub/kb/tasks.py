"""Work of the knowledge base behind the pages."""

from ..core.jobs import job
from . import indexing, reviewing, service


@job(service.INDEX, every="* * * * *")
def index() -> None:
    """Index what changed; the schedule finds what a lost ring left stale."""
    indexing.index_stale()


@job("kb.publish", every="* * * * *")
def publish() -> None:
    """Publish what is due."""
    reviewing.publish_due()


@job("kb.review", every="7 * * * *")
def review() -> None:
    """Remind owners of articles whose review is due."""
    reviewing.remind()
