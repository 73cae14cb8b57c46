"""What surveys do by the clock: ask their audience when their time has come."""

from ..core.database import transaction
from ..core.jobs import job
from . import service


@job("surveys.invite", every="* * * * *")
def invite() -> None:
    """Invite the audiences of surveys that have opened."""
    with transaction():
        service.invite()
