"""Sequences as their makers see them: begun, written, switched on and off, and how far people are."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, select

from ..accounts.models import User
from ..core import audit, clock, i18n
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import _, _l
from ..core.jobs import ring
from . import blocks, cards, checks, drafts, letters, moving, steering, tracking, triggers
from .checks import Check
from .models import (
    Delivery,
    DeliveryState,
    Newsletter,
    Shown,
    Status,
    Topic,
)
from .models_sequences import Sequence, SequenceEntry, Trigger
from .models_tracking import Link
from .steering import NotNow
from .words import REASONS

#: Steps of a sequence, and days between two of them.
MOST_STEPS, MOST_DAYS = 20, 365


class IsOn(HubError):
    message = _l("Switch the sequence off to change it. Whoever is on their way keeps their place.")


def create(actor: User, name: str, trigger: Trigger, topic: Topic) -> Sequence:
    """A sequence without steps, switched off."""
    sequence = Sequence(name=name, trigger=trigger, topic=topic, days=60, author_id=actor.id)
    db.session.add(sequence)
    db.session.flush()
    audit.record(actor, "sequence.created", f"sequence:{sequence.id}", after={"name": name})
    return sequence


def edit(sequence: Sequence, **facts: Any) -> None:
    """Change what it is called, whom it means and what it counts. Raises IsOn; Invalid for another trigger too late."""
    must_be_off(sequence)
    if facts.get("trigger", sequence.trigger) != sequence.trigger and was_entered(sequence):
        text = _("Somebody has come in already. Make another sequence for another occasion.")
        raise Invalid(text, trigger=[text])
    for name, value in facts.items():
        setattr(sequence, name, value)
    for step in sequence.steps:
        step.topic, step.tracks_clicks = sequence.topic, sequence.tracks_clicks
    db.session.flush()


def must_be_off(sequence: Sequence) -> None:
    """Held until the transaction ends, so that it is not switched on meanwhile. Raises IsOn."""
    held = select(Sequence.is_on).where(Sequence.id == sequence.id).with_for_update(key_share=True)
    if db.session.scalar(held):
        raise IsOn


def was_entered(sequence: Sequence) -> bool:
    return bool(db.session.scalar(select(exists().where(SequenceEntry.sequence_id == sequence.id))))


def add_step(
    sequence: Sequence,
    actor: User,
    *,
    days: int,
    hour: int | None,
    contents: Iterable[dict[str, str]] = (),
) -> Newsletter:
    """One more at the end. Raises IsOn."""
    must_be_off(sequence)
    if len(sequence.steps) >= MOST_STEPS:
        raise Invalid(_("A sequence has at most %(count)s steps.", count=MOST_STEPS))
    step = drafts.create(actor, sequence.topic, contents=contents)
    step.shown, step.tracks_clicks = Shown.RECIPIENTS, sequence.tracks_clicks
    step.sequence_id, step.delay_days, step.local_hour = sequence.id, days, hour
    step.position = max((each.position or 0 for each in sequence.all_steps), default=0) + 1
    db.session.flush()
    db.session.refresh(sequence, ["all_steps"])
    return step


def time_step(step: Newsletter, sequence: Sequence, days: int, hour: int | None) -> None:
    """How long after the step before, and at which hour. Raises IsOn."""
    must_be_off(sequence)
    step.delay_days, step.local_hour = days, hour
    db.session.flush()


def take_out(step: Newsletter, sequence: Sequence, actor: User) -> None:
    """Delete a step; what people have been sent of it stays in the ledger. Raises IsOn."""
    must_be_off(sequence)
    if step.has_started:
        steering.move(step, Status.CANCELLED, Status.DRAFT)
        step.finished_at = clock.now()
        audit.record(actor, "newsletter.cancelled", f"newsletter:{step.id}")
    else:
        drafts.discard(step, actor)
    db.session.flush()
    db.session.refresh(sequence, ["all_steps"])


def discard(sequence: Sequence, actor: User) -> None:
    """Delete one that nobody ever came into. Raises IsOn, NotNow."""
    must_be_off(sequence)
    if was_entered(sequence) or any(step.has_started for step in sequence.all_steps):
        raise NotNow
    for step in list(sequence.all_steps):
        drafts.discard(step, actor)
    audit.record(actor, "sequence.discarded", f"sequence:{sequence.id}", before={"name": sequence.name})
    db.session.execute(delete(Sequence).where(Sequence.id == sequence.id))


def switch_on(sequence: Sequence, actor: User, *, everyone: bool = False) -> None:
    """From now on bring in whom the trigger means; with `everyone` also whom it has meant before. The worker does it.

    Who came up while it was being edited comes in, too: `since` is when it was first switched on.

    Raises NotReady, IsOn.
    """
    must_be_off(sequence)
    for check in review(sequence):
        if check.blocks:
            raise checks.NotReady(check.sentence)
    for step in sequence.steps:
        steering.move(step, Status.SENDING, Status.DRAFT)
        step.started_at = step.started_at or clock.now()
        _keep_links(step)
    sequence.is_on, sequence.since = True, sequence.since or clock.now()
    db.session.flush()
    moving.let_go(sequence)  # what waits may leave before the first round
    for step in sequence.steps:
        moving.refill(step)
    sequence.brings_everyone = everyone
    audit.record(actor, "sequence.on", f"sequence:{sequence.id}", after={"everyone": everyone})
    ring(moving.ROUND)


def _keep_links(step: Newsletter) -> None:
    """Number the links that have no number yet, now that the text stands."""
    texts = [letters.prepare(step.topic, each) for each in step.written]
    known = set(db.session.scalars(select(Link.url).where(Link.newsletter_id == step.id)))
    tracking.keep_links(step, (url for text in texts for url in text.addresses if url not in known))


def switch_off(sequence: Sequence, actor: User) -> None:
    """Nobody comes in, nobody moves on; whoever is on their way keeps their place. Raises NotNow."""
    if moving.locked(sequence.id) is None:
        raise NotNow
    sequence.is_on = sequence.brings_everyone = False
    for step in sequence.steps:
        steering.move(step, Status.DRAFT, Status.SENDING, Status.PAUSED)
        step.hold, step.failures = None, 0
    db.session.flush()
    audit.record(actor, "sequence.off", f"sequence:{sequence.id}")


# --- The look before --------------------------------------------------------------------


def review(sequence: Sequence) -> list[Check]:
    """What is in the way of switching it on."""
    if not sequence.steps:
        return [Check(_("Add a first step"), is_fine=False, blocks=True)]
    steps, found = sequence.steps, []
    with cards.together(block for step in steps for each in step.written for block in blocks.of(each.body)):
        for number, step in enumerate(steps, 1):
            for check in checks.obstacles(step):
                text = _("Step %(number)s: %(problem)s", number=number, problem=check.text)
                found.append(Check(text, is_fine=False, blocks=True, detail=check.detail))
    return found or [Check(_("Every step is ready"))]


# --- How far people are -----------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A step by its mails, and how many stand before it."""

    step: Newsletter
    waiting: int
    sent: int
    clicked: int
    left_out: int


def standings(sequence: Sequence) -> list[Standing]:
    """Every step in order."""
    inside = (SequenceEntry.sequence_id == sequence.id, SequenceEntry.left_at.is_(None))
    positions = select(SequenceEntry.position, func.count()).where(*inside).group_by(SequenceEntry.position)
    steps = sequence.steps
    waiting: Counter[int] = Counter()
    for position, number in db.session.execute(positions):
        at = next((each.id for each in steps if (each.position or 0) >= position), 0)
        waiting[at] += number
    ids = [each.id for each in steps]
    mails = (
        select(Delivery.newsletter_id, Delivery.state, func.count(), func.count(Delivery.clicked_at))
        .where(Delivery.newsletter_id.in_(ids))
        .group_by(Delivery.newsletter_id, Delivery.state)
    )
    counted: Counter[tuple[int, str]] = Counter()
    for number, state, every, clicked in db.session.execute(mails):
        counted[number, state] += every
        counted[number, "clicked"] += clicked
    out = (DeliveryState.SUPPRESSED, DeliveryState.FAILED)
    return [
        Standing(
            each,
            waiting[each.id],
            counted[each.id, DeliveryState.SENT],
            counted[each.id, "clicked"],
            sum(counted[each.id, state] for state in out),
        )
        for each in steps
    ]


def people(sequence_ids: list[int]) -> dict[int, tuple[int, int]]:
    """(on their way, ever) by sequence."""
    inside = func.count().filter(SequenceEntry.left_at.is_(None))
    rows = select(SequenceEntry.sequence_id, inside, func.count())
    rows = rows.where(SequenceEntry.sequence_id.in_(sequence_ids)).group_by(SequenceEntry.sequence_id)
    return {number: (some, every) for number, some, every in db.session.execute(rows)}


# --- Why ------------------------------------------------------------------------------


def ways(user_ids: list[int], sequence: Sequence | None = None) -> dict[int, list[str]]:
    """In words, for each of these people: the sequences they came into, and how that went; the newest first."""
    found: dict[int, list[str]] = {}
    rows = select(SequenceEntry).where(SequenceEntry.user_id.in_(user_ids))
    if sequence is not None:
        rows = rows.where(SequenceEntry.sequence_id == sequence.id)
    for entry in db.session.scalars(rows.order_by(SequenceEntry.id.desc()).limit(500)):
        found.setdefault(entry.user_id, []).append(_way(entry))
    return found


def _way(entry: SequenceEntry) -> str:
    facts = {
        "name": entry.sequence.name,
        "date": i18n.format_date(entry.entered_at),
        "why": triggers.TRIGGERS[entry.sequence.trigger],
    }
    came = _("Came into the sequence “%(name)s” on %(date)s: %(why)s.", **facts)
    return f"{came} {_since(entry)}"


def _since(entry: SequenceEntry) -> str:
    if entry.left_at is None:
        if not entry.sequence.is_on:
            return _("It is switched off at present.")
        return _("The next mail is due on %(moment)s.", moment=i18n.format_datetime(entry.next_at))
    if entry.reason == moving.DONE:
        return _("All of it was sent by %(date)s.", date=i18n.format_date(entry.left_at))
    words = {"date": i18n.format_date(entry.left_at), "reason": REASONS.get(entry.reason or "", "–")}
    return _("It ended on %(date)s: %(reason)s.", **words)
