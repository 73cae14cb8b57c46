"""What training does by the clock: reminders, noting what is over, the search index."""

from ..core.database import transaction
from ..core.jobs import job
from . import indexing, service


@job("training.remind", every="* * * * *")
def remind() -> None:
    """Remind those whose webinar is near."""
    with transaction():
        service.remind()


@job("training.finish", every="*/5 * * * *")
def finish() -> None:
    """Note which webinars are over."""
    with transaction():
        service.finish()


@job("training.index", every="* * * * *")
def index() -> None:
    """Bring webinars and lessons into the search index; it opens its own short transactions."""
    indexing.index_stale()
