"""While a newsletter is being sent: pause, resume, cancel."""

from sqlalchemy import update

from ..accounts.models import User
from ..core import audit, clock
from ..core.database import db, touched
from ..core.errors import HubError
from ..core.i18n import _l
from ..core.jobs import ring
from .ledger import counts, tell_progress
from .models import Delivery, DeliveryState, Hold, Newsletter, Status


class NotNow(HubError):
    message = _l("This newsletter has moved on in the meantime. Look at its present state.")


def pause(newsletter: Newsletter, hold: Hold = Hold.PERSON, actor: User | None = None) -> None:
    """Stop after the mail that is being handed over. Raises NotNow."""
    move(newsletter, Status.PAUSED, Status.SENDING)
    newsletter.hold = hold
    audit.record(actor, "newsletter.paused", f"newsletter:{newsletter.id}", after={"why": hold})
    tell_progress(newsletter.id)


def resume(newsletter: Newsletter, actor: User | None) -> None:
    """Go on where it stopped. Raises NotNow."""
    move(newsletter, Status.SENDING, Status.PAUSED)
    newsletter.hold, newsletter.failures = None, 0
    # Those that were put off; who is to get it at their own time still does.
    waiting = (
        Delivery.newsletter_id == newsletter.id,
        Delivery.state == DeliveryState.PENDING,
        Delivery.attempts > 0,
    )
    db.session.execute(update(Delivery).where(*waiting).values(next_at=clock.now()))
    audit.record(actor, "newsletter.resumed", f"newsletter:{newsletter.id}")
    ring("newsletters.send")
    tell_progress(newsletter.id)


def cancel(newsletter: Newsletter, actor: User | None) -> None:
    """Send nothing more; who has got it has got it. Raises NotNow, for a step too: its sequence is switched off."""
    if newsletter.is_step:
        raise NotNow
    move(newsletter, Status.CANCELLED, Status.SENDING, Status.PAUSED)
    newsletter.finished_at = clock.now()
    audit.record(actor, "newsletter.cancelled", f"newsletter:{newsletter.id}", after=counts(newsletter.id))
    tell_progress(newsletter.id)


def resolve(delivery: Delivery, arrived: bool, actor: User) -> None:
    """Say of a mail in doubt that it arrived, or send it again. Raises NotNow."""
    newsletter = delivery.newsletter
    known = {"state": DeliveryState.SENT, "sent_at": delivery.claimed_at, "reason": None}
    again = {"state": DeliveryState.PENDING, "next_at": clock.now(), "reason": None}
    doubted = (Delivery.id == delivery.id, Delivery.state == DeliveryState.UNCERTAIN)
    if not touched(update(Delivery).where(*doubted).values(known if arrived else again)):
        raise NotNow
    if not arrived and newsletter.status is Status.SENT:
        move(newsletter, Status.SENDING, Status.SENT)
    audit.record(actor, "delivery.resolved", f"delivery:{delivery.id}", after={"arrived": arrived})
    if not arrived:
        ring("newsletters.send")


def move(newsletter: Newsletter, to: Status, *origins: Status) -> None:
    """Change the status if it still is one of `origins`: of two who try, one wins."""
    present = (Newsletter.id == newsletter.id, Newsletter.status.in_(origins))
    if not touched(update(Newsletter).where(*present).values(status=to, updated_at=clock.now())):
        raise NotNow
    db.session.refresh(newsletter)
