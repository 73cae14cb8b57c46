"""What happens to tickets without anybody doing anything."""

from ..core.database import transaction
from ..core.jobs import job
from . import states

BATCH = 200


@job("tickets.close", every="17 * * * *")
def close() -> None:
    """Close what has been resolved for long."""
    done = BATCH
    while done == BATCH:
        with transaction():
            done = states.close_settled(BATCH)
