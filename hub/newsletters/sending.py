"""Working through the ledger: claim a row, hand the letter over, write down what happened.

A claim is committed before the backend is called, one row at a time: after a
crash at most one mail per worker is in doubt, and it is never sent again
unasked unless the backend makes a repetition harmless.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

import structlog
from sqlalchemy import exists, select, update

from ..core import clock
from ..core.crash import crash_point
from ..core.database import db, touched, transaction
from ..core.mail import Later, Misconfigured, NotSent, Refused, Unknown, Unreachable
from ..core.mail.outgoing import LEASE, PATIENCE, backoff
from ..core.mail.send import Backend
from . import consent, ledger, letters, steering, telling
from .letters import Prepared
from .models import Delivery, DeliveryState, Hold, Newsletter, Status

log = structlog.get_logger()

#: Rows looked up at once.
BATCH = 50
#: Seconds between two announcements of progress.
NEWS_EVERY = 0.5
#: After so many failures in a row something is wrong with more than one address.
RUN_OF_FAILURES = 10


class Run:
    """One worker's pass over one newsletter, with its texts laid out once per language."""

    def __init__(self, newsletter: Newsletter, backend: Backend) -> None:
        self.id = newsletter.id
        self.backend = backend
        self.texts: dict[str, Prepared] = {
            each.locale: letters.prepare(newsletter.topic, each) for each in newsletter.written
        }
        self.topic = newsletter.topic
        self.failures = newsletter.failures
        self.started_at = newsletter.started_at

    def work(self) -> None:
        """Send what is due until nothing is, or something says stop."""
        told = 0.0
        for batch in self._batches():
            for number in batch:
                crash_point("before_claim")
                if not self._one(number):
                    ledger.tell_progress(self.id)
                    return
                if time.monotonic() - told > NEWS_EVERY:
                    ledger.tell_progress(self.id)
                    told = time.monotonic()
            crash_point("between_batches")
        ledger.tell_progress(self.id)

    def _batches(self) -> Iterator[list[int]]:
        """Ids of rows that are due, as they stand each time."""
        last = 0
        while True:
            db.session.rollback()
            due = select(Delivery.id).where(
                Delivery.newsletter_id == self.id,
                Delivery.state == DeliveryState.PENDING,
                Delivery.next_at <= clock.now(),
                Delivery.id > last,
            )
            batch = list(db.session.scalars(due.order_by(Delivery.id).limit(BATCH)))
            if not batch:
                return
            last = batch[-1]
            yield batch

    def _one(self, number: int) -> bool:
        """Deal with one row; whether to go on with the next."""
        delivery = self._claim(number)
        if delivery is None:
            return _is_sending(self.id)
        if delivery.state is DeliveryState.SUPPRESSED:
            return True
        crash_point("after_claim")
        error = self._hand_over(delivery)
        crash_point("after_send")
        going = self._record(delivery, error)
        crash_point("after_record")
        return going

    def _claim(self, number: int) -> Delivery | None:
        """Take the row, unless another has or the newsletter has stopped; who declined meanwhile is let off."""
        with transaction():
            free = (
                Delivery.id == number,
                Delivery.state == DeliveryState.PENDING,
                exists().where(Newsletter.id == self.id, Newsletter.status == Status.SENDING),
            )
            claimed = {
                "state": DeliveryState.CLAIMED,
                "claimed_at": clock.now(),
                "attempts": Delivery.attempts + 1,
            }
            if not touched(
                update(Delivery).where(*free).values(claimed).execution_options(synchronize_session=False)
            ):
                return None
            delivery = db.session.get_one(Delivery, number, populate_existing=True)
            why = consent.declined(delivery.address, self.topic)
            if why is not None:
                delivery.state, delivery.reason = DeliveryState.SUPPRESSED, why
        return delivery

    def _hand_over(self, delivery: Delivery) -> NotSent | None:
        """Call the backend, outside any transaction; what went wrong, if anything."""
        try:
            letter = self.texts[delivery.locale].letter(
                key=delivery.key, address=delivery.address, name=delivery.name, values=delivery.values
            )
            db.session.rollback()
            self.backend.send(letter)
        except NotSent as error:
            return error
        except Exception as error:  # one letter that cannot be written must not stop the others
            log.exception("newsletter", delivery=delivery.id)
            return Refused(f"{type(error).__name__}: {error}")
        return None

    def _record(self, delivery: Delivery, error: NotSent | None) -> bool:
        """Write down how it went; whether to go on."""
        number = delivery.id
        with transaction():
            mine = (Delivery.id == number, Delivery.state == DeliveryState.CLAIMED)
            touched(update(Delivery).where(*mine).values(self._outcome(delivery, error)))
            self._count_failure(error)
            held = self._held(error)
            if held:
                newsletter = db.session.get_one(Newsletter, self.id)
                if newsletter.status is Status.SENDING:
                    steering.pause(newsletter, held)
                    telling.tell_author(newsletter, held)
        if error is not None:
            log.warning(
                "newsletter not sent", delivery=number, kind=type(error).__name__, error=str(error)[:300]
            )
        return not held and not isinstance(error, Unreachable)

    def _outcome(self, delivery: Delivery, error: NotSent | None) -> dict[str, object]:
        now = clock.now()
        if error is None:
            return {"state": DeliveryState.SENT, "sent_at": now, "reason": None}
        reason = str(error)[:500]
        if isinstance(error, Unknown):
            return {"state": DeliveryState.UNCERTAIN, "reason": reason}
        if isinstance(error, Later) and self.started_at and now - self.started_at < PATIENCE:
            wait = timedelta() if isinstance(error, Misconfigured) else backoff(delivery.attempts)
            return {"state": DeliveryState.PENDING, "next_at": now + wait, "reason": reason}
        return {"state": DeliveryState.FAILED, "reason": reason}

    def _count_failure(self, error: NotSent | None) -> None:
        failures = self.failures + 1 if error else 0
        if failures != self.failures:
            self.failures = failures
            db.session.execute(update(Newsletter).where(Newsletter.id == self.id).values(failures=failures))

    def _held(self, error: NotSent | None) -> Hold | None:
        if isinstance(error, Misconfigured):
            return Hold.CREDENTIALS
        return Hold.ERRORS if self.failures >= RUN_OF_FAILURES else None


def _is_sending(newsletter_id: int) -> bool:
    db.session.rollback()
    return (
        db.session.scalar(select(Newsletter.status).where(Newsletter.id == newsletter_id)) is Status.SENDING
    )


def sweep(backend: Backend) -> None:
    """Settle what a worker that died left claimed: again where that is harmless, otherwise we do not know."""
    stale = (Delivery.state == DeliveryState.CLAIMED, Delivery.claimed_at < clock.now() - LEASE)
    if db.session.scalar(select(Delivery.id).where(*stale).limit(1)) is None:
        return
    state = DeliveryState.PENDING if backend.repeatable else DeliveryState.UNCERTAIN
    with transaction() as session:
        session.execute(
            update(Delivery).where(*stale).values(state=state, reason="the worker stopped in between")
        )


def finish() -> None:
    """Close the newsletters that have nothing left to send."""
    open_states = (DeliveryState.PENDING, DeliveryState.CLAIMED)
    left = exists().where(Delivery.newsletter_id == Newsletter.id, Delivery.state.in_(open_states))
    done = select(Newsletter.id).where(Newsletter.status == Status.SENDING, ~left)
    db.session.rollback()
    for number in list(db.session.scalars(done)):
        with transaction():
            ready = (Newsletter.id == number, Newsletter.status == Status.SENDING, ~left)
            values = {"status": Status.SENT, "finished_at": clock.now(), "hold": None}
            if touched(
                update(Newsletter).where(*ready).values(values).execution_options(synchronize_session=False)
            ):
                ledger.tell_progress(number)
                telling.tell_sent(db.session.get_one(Newsletter, number, populate_existing=True))
