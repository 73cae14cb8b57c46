"""Work of the knowledge base behind the pages."""

from ..core.jobs import job
from . import indexing, service


@job(service.INDEX, every="* * * * *")
def index() -> None:
    """Index what changed; the schedule finds what a lost ring left stale."""
    indexing.index_stale()


@job("kb.publish", every="* * * * *")
def publish() -> None:
    """Publish what is due."""
    indexing.publish_due()
