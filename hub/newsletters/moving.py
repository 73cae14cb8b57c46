"""People on their way through sequences: brought in, sent the next step when it is time, let go.

Each round of a sequence is one transaction, which writes the ledger's rows and moves their readers on together:
whatever dies in between, nobody misses a step and nobody gets one twice. The mails then go the way of every newsletter.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update

from ..accounts.models import User
from ..core import clock
from ..core.database import db, touched
from ..core.settings import settings
from ..partners.models import Partner
from . import consent, letters, starting, triggers
from .audience import Recipient
from .checks import NotReady
from .consent import BUDGET
from .models import Delivery, DeliveryState, Newsletter
from .models_sequences import Sequence, SequenceEntry, Trigger
from .personal import Occasion

#: Why somebody left, where it is not why they want no mail.
DONE, GONE, ACTIVE = "done", "gone", "active"
#: The job that does a round of each.
ROUND = "newsletters.sequences"
#: People moved on in one transaction.
CHUNK = 500
#: People from before brought in within one transaction.
AT_ONCE = 5000
#: A step that has an hour is not sent so long after it.
LATE = timedelta(hours=1)

Due = tuple[SequenceEntry, Recipient]


def locked(number: int) -> Sequence | None:
    """A sequence that is on, held until the transaction ends: its rounds come one after the other."""
    on = select(Sequence).where(Sequence.id == number, Sequence.is_on)
    return db.session.scalar(on.with_for_update(key_share=True).execution_options(populate_existing=True))


def move(sequence: Sequence, *, goes_on: bool = False) -> bool:
    """One round, or one more CHUNK of the same; whether there is more to do at once."""
    if not goes_on:
        let_go(sequence)
    if not goes_on or sequence.brings_everyone:
        enter(sequence)
    due = _due(sequence)
    steps = sequence.steps
    by_step: dict[int | None, list[Due]] = {}
    for entry, reader in due:
        at = next((n for n, step in enumerate(steps) if (step.position or 0) >= entry.position), None)
        if at is not None and _is_late(steps[at], entry.next_at):
            entry.next_at = turn(clock.now(), steps[at], reader.user.time_zone, days=0)
            continue
        by_step.setdefault(at, []).append((entry, reader))
    for at, each in by_step.items():
        if at is None:  # the steps before which they stood have been taken out
            for entry, _reader in each:
                _leave(entry, DONE)
        else:
            _send(steps[at], next(iter(steps[at + 1 :]), None), each)
    db.session.flush()
    return len(due) == CHUNK or sequence.brings_everyone


def let_go(sequence: Sequence) -> None:
    """End the ways of those who are gone or whom the trigger no longer means; what waits for them is not sent.

    Who was gone goes on when they are there again; a silence may begin anew instead.
    """
    now, steps = clock.now(), [step.id for step in sequence.steps]
    if sequence.trigger is not Trigger.SILENT:
        _come_back(sequence, steps)
    waits, inside = Delivery.state == DeliveryState.PENDING, SequenceEntry.left_at.is_(None)
    for why, condition in (
        (GONE, ~triggers.is_there()),
        (ACTIVE, triggers.is_over(sequence)),
    ):
        waiting = (
            select(Delivery.id)
            .join(SequenceEntry, SequenceEntry.id == Delivery.entry)
            .where(Delivery.newsletter_id.in_(steps), waits, condition)
        )
        _change(Delivery, waiting, waits, {"state": DeliveryState.SUPPRESSED, "reason": why})
        ended = select(SequenceEntry.id).where(SequenceEntry.sequence_id == sequence.id, inside, condition)
        _change(SequenceEntry, ended, inside, {"left_at": now, "reason": why})


def _come_back(sequence: Sequence, steps: list[int]) -> None:
    gone = SequenceEntry.reason == GONE
    back = select(SequenceEntry.id).where(SequenceEntry.sequence_id == sequence.id, gone, triggers.is_there())
    _change(SequenceEntry, back, gone, {"left_at": None, "reason": None})
    kept = and_(Delivery.state == DeliveryState.SUPPRESSED, Delivery.reason == GONE)
    theirs = select(Delivery.id).join(SequenceEntry, SequenceEntry.id == Delivery.entry)
    theirs = theirs.where(Delivery.newsletter_id.in_(steps), kept, triggers.is_there())
    _change(Delivery, theirs, kept, {"state": DeliveryState.PENDING, "reason": None})


def _change(model: Any, chosen: Select[Any], still: ColumnElement[bool], values: dict[str, Any]) -> None:
    """Change the rows chosen, but for those of which, meanwhile, `still` holds no longer: a mail may be leaving."""
    numbers = list(db.session.scalars(chosen))
    for start in range(0, len(numbers), CHUNK):
        some = update(model).where(model.id.in_(numbers[start : start + CHUNK]), still)
        touched(some.values(values).execution_options(synchronize_session="fetch"))


def enter(sequence: Sequence) -> None:
    """Bring in whom the trigger means; of those from before, where they are wanted, the next AT_ONCE."""
    first = next(iter(sequence.steps), None)
    if first is None:
        sequence.brings_everyone = False
        return
    now = clock.now()
    rows = [
        {
            "sequence_id": sequence.id,
            "user_id": each.user_id,
            "partner_id": each.partner_id,
            "occasion": each.occasion,
            "entered_at": now,
            "position": first.position,
            "next_at": turn(now, first, each.zone),
        }
        for each in triggers.meeting(sequence, most=AT_ONCE)
    ]
    for number in range(0, len(rows), CHUNK):
        db.session.execute(insert(SequenceEntry), rows[number : number + CHUNK])
    # Whoever has come in is not met again: it ends where nobody is left.
    sequence.brings_everyone = sequence.brings_everyone and bool(rows)


def _is_late(step: Newsletter, due: datetime) -> bool:
    """Has its hour passed, as where the sequence was off? Then it waits for the next: nobody is to get it at night."""
    return step.local_hour is not None and due < clock.now() - LATE


def turn(after: datetime, step: Newsletter, zone: str, days: int | None = None) -> datetime:
    """When a step is due for somebody who has come to it: so many days later, at its hour where they live."""
    days = (step.delay_days or 0) if days is None else days
    if step.local_hour is None:
        return after + timedelta(days=days)
    zone = _known(zone)
    day = after.astimezone(ZoneInfo(zone)).date()
    for wait in (days, days + 1):
        found = starting.moment_of(f"{day + timedelta(days=wait)}T{step.local_hour:02}:00", zone)
        if found >= after:
            break
    return found


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return settings.programme_timezone
    return zone


def _due(sequence: Sequence) -> list[Due]:
    """Whose next step it is time for; nobody gets one while an earlier one of theirs still waits."""
    open_states = (DeliveryState.PENDING, DeliveryState.CLAIMED)
    steps = [step.id for step in sequence.steps]
    waiting = select(Delivery.entry).where(Delivery.newsletter_id.in_(steps), Delivery.state.in_(open_states))
    rows = (
        select(SequenceEntry, User, Partner)
        .join(User, User.id == SequenceEntry.user_id)
        .join(Partner, Partner.id == SequenceEntry.partner_id)
        .where(SequenceEntry.sequence_id == sequence.id, SequenceEntry.left_at.is_(None))
        .where(SequenceEntry.next_at <= clock.now(), SequenceEntry.id.not_in(waiting))
        .order_by(SequenceEntry.next_at, SequenceEntry.id)
        .limit(CHUNK)
    )
    return [(entry, Recipient(user, partner)) for entry, user, partner in db.session.execute(rows)]


def _send(step: Newsletter, following: Newsletter | None, due: list[Due]) -> None:
    """Write the ledger's rows and move on; who wants no mail on the topic leaves, whose week is full waits for a day."""
    declined = consent.declined_by((reader.address for _entry, reader in due), step.topic, step.id)
    ready: list[Due] = []
    for entry, reader in due:
        why = declined.get(reader.address)
        if why is None:
            ready.append((entry, reader))
        elif why == BUDGET:
            entry.next_at = clock.now() + timedelta(days=1)
        else:
            _leave(entry, why)
            db.session.execute(insert(Delivery), [starting.left_out(step, reader, why) | {"entry": entry.id}])
    if ready:
        texts = {each.locale: letters.prepare(step.topic, each) for each in step.written}
        rows = _rows(step, Occasion(step, texts), [reader for _entry, reader in ready])
        own = [{"entry": entry.id} for entry, _reader in ready]
        db.session.execute(insert(Delivery), [row | each for row, each in zip(rows, own, strict=True)])
    for entry, reader in ready:
        entry.position = (step.position or 0) + 1
        if following is None:
            _leave(entry, DONE)
        else:
            entry.next_at = turn(clock.now(), following, reader.user.time_zone)


def _rows(step: Newsletter, occasion: Occasion, readers: list[Recipient]) -> list[dict[str, Any]]:
    """A row each; where a variable turned out to be empty, one that says so and is not sent."""
    now = clock.now()
    try:
        return [
            {"state": DeliveryState.PENDING, "reason": None} | row
            for row in starting.rows(step, occasion, lambda _zone: now, readers)
        ]
    except NotReady as error:
        if len(readers) == 1:
            row = starting.left_out(step, readers[0], str(error))
            return [row | {"state": DeliveryState.FAILED}]
    return [row for each in readers for row in _rows(step, occasion, [each])]


def refill(step: Newsletter) -> None:
    """Fill what waits of a step anew: its text may have changed since."""
    texts = {each.locale: letters.prepare(step.topic, each) for each in step.written}
    occasion = Occasion(step, texts)
    waits = Delivery.state.in_((DeliveryState.PENDING, DeliveryState.CLAIMED))
    rows = (
        select(Delivery.id, Delivery.next_at, User, Partner)
        .join(User, User.id == Delivery.user_id)
        .join(Partner, Partner.id == Delivery.partner_id)
        .where(Delivery.newsletter_id == step.id, or_(waits, Delivery.reason == GONE))
    )
    waiting = list(db.session.execute(rows))
    for start in range(0, len(waiting), CHUNK):
        some = waiting[start : start + CHUNK]
        filled = _rows(step, occasion, [Recipient(user, partner) for _id, _at, user, partner in some])
        for (number, due, user, _partner), row in zip(some, filled, strict=True):
            this = update(Delivery).where(Delivery.id == number)
            if row["state"] == DeliveryState.FAILED:
                this = this.where(Delivery.state.in_((DeliveryState.PENDING, DeliveryState.SUPPRESSED)))
                this = this.values({"state": row["state"], "reason": row["reason"]})
            else:
                again = turn(clock.now(), step, user.time_zone, days=0) if _is_late(step, due) else due
                this = this.values({"locale": row["locale"], "values": row["values"], "next_at": again})
            touched(this.execution_options(synchronize_session=False))


def _leave(entry: SequenceEntry, why: str) -> None:
    entry.left_at, entry.reason = clock.now(), why
