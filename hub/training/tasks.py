"""What training does by the clock: reminders, and noting what is over."""

from ..core.database import transaction
from ..core.jobs import job
from . import service


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
