"""Background work: start what is due, send what is waiting."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Select, case, exists, select

from ..core import clock
from ..core.database import db, transaction
from ..core.jobs import each_alone, job, ring
from ..core.mail import open_backends
from . import claims, events, linkcheck, moving, sending, starting, subscribers, tracking, trial
from .journal import Journal
from .models import Delivery, DeliveryState, Hold, Newsletter, Status, Topic
from .models_sequences import Sequence


@job("newsletters.send", every="* * * * *")
def send() -> None:
    """Start what is due, then work through everything that is being sent. Several workers may do so at once."""
    start_due()
    trial.decide_due()
    with open_backends() as backends:
        claims.sweep(backends[0])
        db.session.rollback()
        for newsletter in list(db.session.scalars(_waiting())) if not backends[0].is_resting else ():
            with closing(Journal()) as journal:
                sending.Run(newsletter, backends, journal).work()
    sending.finish()


def _waiting() -> Select[Any]:
    """Newsletters that somebody waits for. What concerns the partnership itself comes first, then the newest.

    Where only so many mails may leave in a minute, the first takes them all, and a large one takes hours.
    """
    due = exists().where(
        Delivery.newsletter_id == Newsletter.id,
        Delivery.state == DeliveryState.PENDING,
        Delivery.next_at <= clock.now(),
    )
    return (
        select(Newsletter)
        .where(Newsletter.status == Status.SENDING, due)
        .order_by(
            case((Newsletter.topic == Topic.SERVICE, 0), else_=1),
            Newsletter.started_at.desc(),
            Newsletter.id,
        )
    )


def start_due() -> None:
    """Start the scheduled newsletters whose moment has come; one that cannot start stops no other."""
    due = (Newsletter.status == Status.SCHEDULED, Newsletter.due_at <= clock.now())

    def work(number: int, do: Callable[[Newsletter], None] = starting.start_on_time) -> None:
        newsletter = db.session.scalar(select(Newsletter).where(Newsletter.id == number, *due))
        if newsletter is not None:
            do(newsletter)

    def give_up(number: int) -> None:
        work(number, lambda newsletter: starting.give_back(newsletter, Hold.INCOMPLETE))

    each_alone(list(db.session.scalars(select(Newsletter.id).where(*due))), work, give_up)


#: After so many the next round begins: others may have come in, or left.
MOST_CHUNKS = 20


@job(moving.ROUND, every="*/10 * * * *")
def sequences() -> None:
    """Bring people into sequences and move them on; one that stumbles stops no other."""
    full = list(db.session.scalars(select(Sequence.id).where(Sequence.is_on).order_by(Sequence.id)))
    for chunk in range(MOST_CHUNKS):
        numbers, full = full, []

        def work(number: int, goes_on: bool = chunk > 0, full: list[int] = full) -> None:
            sequence = moving.locked(number)
            if sequence is not None:
                if moving.move(sequence, goes_on=goes_on):
                    full.append(number)
                ring("newsletters.send")

        each_alone(numbers, work, give_up=lambda _number: None)
    if full:
        ring(moving.ROUND)


@job(tracking.COUNT, every="* * * * *")
def count() -> None:
    """Keep the opens and clicks that web processes have noted."""
    tracking.collect()


@job("newsletters.forget", every="40 3 * * *")
def forget() -> None:
    """Forget the provider's reports that nobody will repeat, and who never confirmed."""
    with transaction():
        events.forget()
        subscribers.forget_unconfirmed()


@job("newsletters.links", every="*/10 * * * *")
def links() -> None:
    """Try the links that nobody has tried yet, each outside any transaction."""
    for check in linkcheck.due():
        db.session.rollback()
        found = linkcheck.attempt(check.url)
        with transaction():
            linkcheck.record(check, *found)
