"""Housekeeping of accounts."""

from datetime import timedelta

from sqlalchemy import delete, or_

from ..core import clock
from ..core.database import transaction
from ..core.jobs import job
from . import attempts
from .models import OneTimeLink, UserSession

#: How long ended sessions and used links are kept, for those who ask what happened.
KEPT = timedelta(days=90)


@job("accounts.prune", every="17 3 * * *")
def prune() -> None:
    """Forget old tries, and sessions and links that ended long ago."""
    before = clock.now() - KEPT
    with transaction() as session:
        attempts.prune()
        session.execute(
            delete(UserSession).where(or_(UserSession.ended_at < before, UserSession.expires_at < before))
        )
        session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < before))
