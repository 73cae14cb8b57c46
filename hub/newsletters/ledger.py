"""What the ledger says: how far a newsletter is."""

from typing import Any

from sqlalchemy import func, select

from ..core.database import after_commit, db
from ..core.live import announce
from .models import Delivery, DeliveryState, Newsletter


def counts(newsletter_id: int) -> dict[str, int]:
    """Deliveries by state, every state named."""
    statement = select(Delivery.state, func.count()).where(Delivery.newsletter_id == newsletter_id)
    found = {state: number for state, number in db.session.execute(statement.group_by(Delivery.state))}  # noqa: C416
    return {state.value: found.get(state, 0) for state in DeliveryState}


def progress(newsletter: Newsletter, states: dict[str, int] | None = None) -> dict[str, Any]:
    """What the page of a running newsletter shows, ready for JSON; `states` if they have been counted already."""
    states = counts(newsletter.id) if states is None else states
    total = sum(states.values())
    waiting = states["pending"] + states["held"] + states["claimed"]
    return {"status": newsletter.status.value, "total": total, "done": total - waiting, "counts": states}


def tell_progress(newsletter_id: int) -> None:
    """Tell the pages that show this newsletter how far it is, once committed."""

    def tell() -> None:
        newsletter = db.session.get(Newsletter, newsletter_id, populate_existing=True)
        if newsletter is not None:
            announce(f"newsletter:{newsletter_id}", "progress", {"id": newsletter_id, **progress(newsletter)})

    after_commit(tell)
