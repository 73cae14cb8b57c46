"""The ledger's rows while they are being sent: taken many at a time, settled many at a time.

A claim is committed before anything is handed over. What a worker that died
left behind is settled by its journal: what it never began goes back, what was
answered is written down, and only what was under way stays in doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Update, or_, select, update
from sqlalchemy.orm import lazyload

from ..core import clock
from ..core.database import db, touched, transaction
from ..core.mail import Later, Misconfigured, NotSent, Unknown
from ..core.mail.backend import Backend
from ..core.mail.outgoing import LEASE, PATIENCE, again_at, backoff
from . import consent, journal, pace, tracking
from .models import Delivery, DeliveryState, Newsletter, Status, Topic
from .models_tracking import UNTRACKED

#: No letter is begun under a claim older than this: well before the claim runs out.
FRESH = LEASE / 2


@dataclass(frozen=True)
class Row:
    """A claimed row, with all that its letter needs."""

    id: int
    key: str
    address: str
    name: str
    locale: str
    variant: str | None
    values: dict[str, str]
    attempts: int
    entry: int


class Declined(NotSent):
    """Its reader has said, since it was claimed, that they do not want it."""


#: What makes a row one that was not taken.
_UNTAKEN: dict[str, object] = {
    "state": DeliveryState.PENDING,
    "claimed_by": None,
    "attempts": Delivery.attempts - 1,
}
_COLUMNS = [getattr(Delivery, name) for name in Row.__dataclass_fields__]


def claim(newsletter_id: int, topic: Topic, worker: str, limit: int) -> list[Row]:
    """Take rows that are due, unless the newsletter has stopped; who declined meanwhile is let off, or not counted.

    Where the reader's week is full, a step of a sequence waits for a day, and anything else is not sent.
    """
    while True:
        with transaction():
            rows = _take(newsletter_id, worker, limit)
            declined = consent.declined_by((row.address for row in rows), topic, newsletter_id)
            for why in set(declined.values()):
                let_off = [row.id for row in rows if declined.get(row.address) == why]
                values: dict[str, object] = {"state": DeliveryState.SUPPRESSED, "reason": why}
                if why == consent.BUDGET and rows[0].entry:  # if one is a step's, all are
                    values = _UNTAKEN | {"next_at": clock.now() + timedelta(days=1)}
                _execute(update(Delivery).where(Delivery.id.in_(let_off)).values(values))
            left = _minding(newsletter_id, [row for row in rows if row.address not in declined])
        if left or not rows:
            return left


def _minding(newsletter_id: int, rows: list[Row]) -> list[Row]:
    """The rows, those marked whose readers have said since the start that they do not want to be counted."""
    if not rows:
        return []
    lean = lazyload(Newsletter.contents)  # the texts have been laid out long ago
    newsletter = db.session.get_one(Newsletter, newsletter_id, options=[lean])
    untracked = tracking.untracked(newsletter, [row.address for row in rows if UNTRACKED not in row.values])
    marked = [
        replace(row, values=row.values | {UNTRACKED: "1"}) if row.address in untracked else row
        for row in rows
    ]
    for row in marked:
        if row.address in untracked:
            _execute(update(Delivery).where(Delivery.id == row.id).values({"values": row.values}))
    return marked


def _take(newsletter_id: int, worker: str, limit: int) -> list[Row]:
    if not _hold(newsletter_id):
        return []
    left = pace.Pace()
    due = (
        select(Delivery.id, Delivery.domain)
        .where(
            *left.open(),
            Delivery.newsletter_id == newsletter_id,
            Delivery.state == DeliveryState.PENDING,
            Delivery.next_at <= clock.now(),
        )
        .order_by(Delivery.next_at, Delivery.id)  # as the index has them: no claim sorts all that wait
        .limit(left.most(limit))
        .with_for_update(skip_locked=True)
    )
    numbers = left.fitting((number, domain) for number, domain in db.session.execute(due))
    if not numbers:
        return []
    taken = {
        "state": DeliveryState.CLAIMED,
        "claimed_at": clock.now(),
        "claimed_by": worker,
        "attempts": Delivery.attempts + 1,
    }
    claimed = update(Delivery).where(Delivery.id.in_(numbers)).values(taken).returning(*_COLUMNS)
    found = db.session.execute(claimed.execution_options(synchronize_session=False))
    return sorted((Row(*row) for row in found), key=lambda row: row.id)


def _hold(newsletter_id: int) -> bool:
    """Keep it from being paused or cancelled until this claim is committed; False if somebody was there first.

    Where a minute has a limit, claims come one after the other: each counts what the others took.
    """
    sending = select(Newsletter.id).where(Newsletter.status == Status.SENDING)
    if pace.is_limited():
        one_by_one = sending.order_by(Newsletter.id).with_for_update(key_share=True)
        return newsletter_id in set(db.session.scalars(one_by_one))
    own = sending.where(Newsletter.id == newsletter_id).with_for_update(read=True)
    return db.session.scalar(own) is not None


def settle(
    results: Mapping[int, NotSent | None],
    worker: str,
    *,
    attempts: Mapping[int, int],
) -> None:
    """Write down how it went with rows that this worker had claimed. Belongs in a transaction."""
    now = clock.now()
    sent = [number for number, error in results.items() if error is None]
    # Late, others may have given the rows up as uncertain: now we know.
    open_states = (DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)
    mine = (Delivery.claimed_by == worker, Delivery.state.in_(open_states))
    if sent:
        values = {"state": DeliveryState.SENT, "sent_at": now, "reason": None}
        _execute(update(Delivery).where(Delivery.id.in_(sent), *mine).values(values))
    for number, error in results.items():
        if error is not None:
            values = _outcome(error, attempts.get(number, 1), now)
            _execute(update(Delivery).where(Delivery.id == number, *mine).values(values))


@cache
def _is_patient(attempts: int) -> bool:
    """Is a row to be tried again after so many attempts? Those count: from the start, its first turn may be days away."""
    return sum((backoff(each) for each in range(1, attempts)), timedelta()) < PATIENCE


def _outcome(error: NotSent, attempts: int, now: datetime) -> dict[str, object]:
    reason = str(error)[:500]
    if isinstance(error, Declined):
        return {"state": DeliveryState.SUPPRESSED, "reason": reason}
    if isinstance(error, Unknown):
        return {"state": DeliveryState.UNCERTAIN, "reason": reason}
    if isinstance(error, Later) and _is_patient(attempts):
        moment = now if isinstance(error, Misconfigured) else again_at(error, attempts)
        return {"state": DeliveryState.PENDING, "next_at": moment, "reason": reason}
    return {"state": DeliveryState.FAILED, "reason": reason}


def give_back(worker: str) -> None:
    """Return what this worker has claimed and not begun."""
    mine = (Delivery.claimed_by == worker, Delivery.state == DeliveryState.CLAIMED)
    _execute(update(Delivery).where(*mine).values(_UNTAKEN))


def sweep(backend: Backend) -> None:
    """Settle what workers that died left claimed."""
    db.session.rollback()
    open_states = (Status.SENDING, Status.PAUSED, Status.CANCELLED)
    unfinished = or_(Newsletter.status.in_(open_states), Newsletter.sequence_id.is_not(None))
    claimed = (
        Delivery.newsletter_id.in_(select(Newsletter.id).where(unfinished)),
        Delivery.state == DeliveryState.CLAIMED,
    )
    for worker in list(db.session.scalars(select(Delivery.claimed_by).where(*claimed).distinct())):
        try:
            found = journal.read(worker) if worker else None
        except journal.Alive:
            continue
        with transaction():
            if worker is None or found is None:
                _give_up(worker, backend)
            else:
                _settle_by_journal(worker, found, backend)
        if worker and found is not None:
            journal.drop(worker)
    journal.drop_old(LEASE)


def _settle_by_journal(worker: str, found: journal.Found, backend: Backend) -> None:
    """The worker ended on this machine, and we have its notes."""
    known = {
        number: error
        for number, error in found.items()
        if not (isinstance(error, Unknown) and backend.repeatable)
    }
    settle(known, worker, attempts={})
    give_back(worker)


def _give_up(worker: str | None, backend: Backend) -> None:
    """Nobody knows what became of these: wait until the claim has run out, then say so."""
    stale = (
        Delivery.state == DeliveryState.CLAIMED,
        Delivery.claimed_by == worker,
        Delivery.claimed_at < clock.now() - LEASE,
    )
    state = DeliveryState.PENDING if backend.repeatable else DeliveryState.UNCERTAIN
    values = {"state": state, "reason": "the worker stopped in between"}
    _execute(update(Delivery).where(*stale).values(values))


def _execute(statement: Update) -> None:
    touched(statement.execution_options(synchronize_session=False))
