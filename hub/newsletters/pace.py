"""How fast: so many mails within a minute, in all and to one domain (`HUB_MAIL_PER_MINUTE`, `HUB_MAIL_PER_DOMAIN`).

Counted in the ledger, by what was claimed since the minute of the clock began, whichever worker did it. What does not
fit stays as it was; the job comes again with the next minute.
"""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select

from ..core import clock
from ..core.database import db
from ..core.settings import settings
from .models import Delivery


def is_limited() -> bool:
    return bool(settings.mail_per_minute or settings.mail_per_domain)


class Pace:
    """What is left of this minute. True while nobody else claims."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        if is_limited():
            minute = clock.now().replace(second=0, microsecond=0)
            rows = select(Delivery.domain, func.count()).where(Delivery.claimed_at >= minute)
            self.taken.update(dict(iter(db.session.execute(rows.group_by(Delivery.domain)))))

    def most(self, limit: int) -> int:
        """How many of `limit` may leave."""
        most = settings.mail_per_minute
        return max(0, min(limit, most - self.taken.total())) if most else limit

    def open(self) -> Iterable[ColumnElement[bool]]:
        """Condition: to a domain that may get more."""
        full = [domain for domain in self.taken if self._is_full(domain)]
        return [Delivery.domain.not_in(full)] if full else []

    def fitting(self, rows: Iterable[tuple[int, str]]) -> list[int]:
        """Of these rows (id, domain), in their order, those that still fit."""
        if not settings.mail_per_domain:
            return [number for number, _domain in rows]
        fits = []
        for number, domain in rows:
            if not self._is_full(domain):
                self.taken[domain] += 1
                fits.append(number)
        return fits

    def _is_full(self, domain: str) -> bool:
        return bool(settings.mail_per_domain) and self.taken[domain] >= settings.mail_per_domain
