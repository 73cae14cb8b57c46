"""What happens to tickets without anybody doing anything."""

from collections.abc import Callable

import structlog

from ..core.database import transaction
from ..core.jobs import each_alone, job
from . import (
    alarms,
    availability,
    chatting,
    deflecting,
    mail_fetching,
    mail_in,
    mail_out,
    rating,
    rotation,
    states,
)
from .models_mail import CopyState

BATCH = 200

log = structlog.get_logger()


def _in_batches(work: Callable[[int], int]) -> None:
    """Do all of it, a batch per transaction, so that nobody waits long for the database."""
    done = BATCH
    while done == BATCH:
        with transaction():
            done = work(BATCH)


@job("tickets.close", every="17 * * * *")
def close() -> None:
    """Close what has been resolved for long."""
    _in_batches(states.close_settled)


@job("tickets.unattended", every="* * * * *")
def hand_over_chats() -> None:
    """Turn waiting chats into ordinary tickets once nobody of the team is there; a transaction each."""
    if availability.has_everyone_left():
        for ticket in chatting.waiting_chats(BATCH):
            with transaction():
                chatting.hand_over(ticket)


@job("tickets.mail_fetch", every="* * * * *")
def fetch_mails() -> None:
    """Fetch what is unread in the mailbox."""
    mail_fetching.fetch_quietly()


@job("tickets.mail_in", every="* * * * *")
def judge_mails() -> None:
    """Judge the mails that were kept; one that cannot be judged now does not hold up the others."""
    for mail_id in mail_in.waiting_ids():
        try:
            mail_in.handle(mail_id)
        except Exception as error:
            log.warning("mail waits", id=mail_id, error=str(error)[:200])


@job("tickets.mail_out", every="* * * * *")
def send_mails() -> None:
    """Mail what is due: to each person what they have not read, a transaction each.

    Where that cannot be done, each of their tickets is tried alone: one cannot be written, the others can.
    """
    failed: list[int] = []
    each_alone(mail_out.waiting(), mail_out.send, failed.append)
    each_alone(
        [(user_id, ticket_id) for user_id in failed for ticket_id in mail_out.waiting_in(user_id)],
        lambda one: mail_out.send(*one),
        lambda one: mail_out.claim(one[0], CopyState.REFUSED, one[1]),
    )


@job("tickets.ratings", every="* * * * *")
def ask_for_ratings() -> None:
    """Ask by mail how the help was, a transaction each."""
    each_alone(rating.waiting(), rating.send, rating.claim)


@job("tickets.wake", every="* * * * *")
def wake() -> None:
    """Bring back what was put off until now."""
    _in_batches(states.wake_due)


@job("tickets.distribute", every="* * * * *")
def distribute() -> None:
    """Take back the work of those who are gone, and give what nobody has to whoever is next."""
    _in_batches(rotation.return_work)
    with transaction():
        rotation.distribute()


@job("tickets.alarm", every="* * * * *")
def alarm() -> None:
    """Warn of what is due soon; say what is overdue."""
    _in_batches(alarms.escalate)
    _in_batches(alarms.warn)


@job("tickets.solved", every="27 * * * *")
def settle_solved() -> None:
    """See which articles have spared a ticket."""
    with transaction():
        deflecting.settle()
