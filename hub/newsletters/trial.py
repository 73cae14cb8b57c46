"""Two subjects tried on a share of the audience; whichever is followed more goes to the rest.

The rest waits in the ledger as `held`, which nobody claims. The winner is written down in the transaction that
lets the rest go, so that no mail leaves before it stands.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update

from ..core import audit, clock
from ..core.database import db, touched, transaction
from . import tracking
from .models import Delivery, DeliveryState, Newsletter, Status

A, B = "a", "b"
#: Percent of the audience on whom both are tried, and hours until one is chosen.
SHARES, HOURS = (10, 20, 30, 50), (1, 72)


@dataclass(frozen=True)
class Side:
    """How one of the subjects does."""

    sent: int = 0
    clicked: int = 0


def tried(people: int, share: int) -> int:
    """How many of so many people get one of the two at once."""
    return people * share // 100


def divide(newsletter: Newsletter, rows: list[dict[str, Any]], before: int) -> None:
    """Spread the trial evenly over the ledger's rows, in turns; `before` of them have been written already."""
    share = newsletter.ab_share
    if not share:
        return
    for number, row in enumerate(rows, before):
        place = tried(number, share)
        if tried(number + 1, share) > place:
            row |= {"variant": B if place % 2 else A, "state": DeliveryState.PENDING}
        else:
            row |= {"variant": None, "state": DeliveryState.HELD}


def sides(newsletter: Newsletter) -> dict[str, Side]:
    """Both subjects: as they stand while it is open, as they stood when it was decided."""
    if newsletter.ab_result:
        return {name: Side(*newsletter.ab_result[name]) for name in (A, B)}
    clicked = func.count(Delivery.clicked_at)
    rows: Any = (
        select(Delivery.variant, func.count(), clicked)
        .where(Delivery.newsletter_id == newsletter.id, Delivery.state == DeliveryState.SENT)
        .where(Delivery.variant.is_not(None))
        .group_by(Delivery.variant)
    )
    return {A: Side(), B: Side()} | {name: Side(*figures) for name, *figures in db.session.execute(rows)}


def due_at(newsletter: Newsletter) -> datetime | None:
    """When it is to be decided; None while it has not started."""
    hours = timedelta(hours=newsletter.ab_hours or 0)
    return newsletter.started_at + hours if newsletter.started_at else None


def decide_due() -> None:
    """Decide the trials whose time has come, with what has been noted up to now."""
    open_trials = (
        Newsletter.status == Status.SENDING,
        Newsletter.ab_share.is_not(None),
        Newsletter.ab_winner.is_(None),
    )
    found = list(db.session.scalars(select(Newsletter).where(*open_trials).order_by(Newsletter.id)))
    due = [each.id for each in found if (at := due_at(each)) and at <= clock.now()]
    db.session.rollback()
    if due:
        tracking.collect()
    for number in due:
        with transaction():
            one = select(Newsletter).where(Newsletter.id == number, *open_trials)
            newsletter = db.session.scalar(one.with_for_update(key_share=True))
            if newsletter is not None and not _is_under_way(newsletter):
                _decide(newsletter)


def _is_under_way(newsletter: Newsletter) -> bool:
    """Has any of it still to have its turn? Once some have arrived, one that was put off does not hold back the rest."""
    waiting = Delivery.state == DeliveryState.PENDING
    if any(side.sent for side in sides(newsletter).values()):
        waiting &= Delivery.attempts == 0
    waiting |= Delivery.state == DeliveryState.CLAIMED
    return bool(db.session.scalar(select(exists().where(Delivery.newsletter_id == newsletter.id, waiting))))


def _decide(newsletter: Newsletter) -> None:
    """The one followed by the greater share wins; as many, or nobody at all: the first."""
    found = sides(newsletter)
    first, second = found[A], found[B]
    winner = B if second.clicked * first.sent > first.clicked * second.sent else A
    newsletter.ab_winner = winner
    newsletter.ab_result = {name: [side.sent, side.clicked] for name, side in found.items()}
    held = (Delivery.newsletter_id == newsletter.id, Delivery.state == DeliveryState.HELD)
    freed = {"state": DeliveryState.PENDING, "variant": winner, "next_at": clock.now()}
    number = touched(update(Delivery).where(*held).values(freed).execution_options(synchronize_session=False))
    after = {"winner": winner, **newsletter.ab_result, "rest": number}
    audit.record(None, "newsletter.subject_chosen", f"newsletter:{newsletter.id}", after=after)
