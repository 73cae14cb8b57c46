"""What happens to tickets without anybody doing anything."""

from ..core.database import transaction
from ..core.jobs import job
from . import availability, chatting, states

BATCH = 200


@job("tickets.close", every="17 * * * *")
def close() -> None:
    """Close what has been resolved for long."""
    done = BATCH
    while done == BATCH:
        with transaction():
            done = states.close_settled(BATCH)


@job("tickets.unattended", every="* * * * *")
def hand_over_chats() -> None:
    """Turn waiting chats into ordinary tickets once nobody of the team is there; a transaction each."""
    if availability.has_everyone_left():
        for ticket in chatting.waiting_chats(BATCH):
            with transaction():
                chatting.hand_over(ticket)
