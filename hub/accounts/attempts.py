"""Throttling: how often somebody may try to prove who they are."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select

from ..core import clock
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _l
from ..core.settings import Switch, settings
from .models import Attempt
from .secrets import keyed


class TooManyAttempts(HubError):
    status = 429
    message = _l("Too many attempts. Wait a quarter of an hour, then try again.")


@dataclass(frozen=True)
class Limit:
    """At most `tries` within `period`, counted under `name`."""

    name: str
    tries: int
    period: timedelta

    def key(self, *whose: str) -> str:
        return keyed("|".join((self.name, *whose)))


QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
#: One account from one address: a stranger elsewhere cannot lock its owner out so easily.
NEAR = Limit("account+address", 5, QUARTER)
#: One account from everywhere.
ACCOUNT = Limit("account", 30, HOUR)
#: The second step of signing in.
CODE = Limit("code", 5, QUARTER)
#: Mails with a link to a new password.
LINKS = Limit("links", 3, HOUR)
LONGEST = HOUR


def record(limit: Limit, *whose: str) -> None:
    """Count one more try."""
    db.session.add(Attempt(key=limit.key(*whose)))
    db.session.flush()


def left(limit: Limit, *whose: str) -> int:
    """Tries left after those counted; below zero when there were too many."""
    if settings.rate_limits is Switch.OFF:
        return limit.tries
    since = clock.now() - limit.period
    tried = select(func.count()).where(Attempt.key == limit.key(*whose), Attempt.at > since)
    return limit.tries - (db.session.scalar(tried) or 0)


def forget(limit: Limit, *whose: str) -> None:
    """Start over: they have proved who they are."""
    db.session.execute(delete(Attempt).where(Attempt.key == limit.key(*whose)))


def prune() -> None:
    """Drop what no limit looks at any more."""
    db.session.execute(delete(Attempt).where(Attempt.at < clock.now() - LONGEST))
