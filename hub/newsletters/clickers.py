"""What a newsletter was followed by: its links one by one, the newsletter before it, and what its readers earned."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from ..core import clock
from ..core.database import db
from ..core.settings import settings
from ..earnings.models import EntryKind, LedgerEntry
from ..earnings.money import divide
from ..partners.models import Partner
from .models import Delivery, DeliveryState, Newsletter, Status
from .models_tracking import Link, LinkClick
from .report import Outcome, outcome

#: What partners earn so long after the newsletter began is looked at.
AFTERWARDS = timedelta(days=30)
#: Links on the page, those with most readers first; the file has all.
SHOWN = 30


@dataclass(frozen=True)
class Followed:
    """A link, by how many readers it was followed, and by how many programs only."""

    url: str
    readers: int
    machines: int

    @property
    def short(self) -> str:
        """Without what all addresses of the hub begin with."""
        return self.url.removeprefix(settings.base_url) or "/"


def links(newsletter: Newsletter, limit: int | None = None) -> list[Followed]:
    """The links that were counted, the most followed first; in one statement."""
    readers = func.count(LinkClick.clicked_at)
    only_machine = case((LinkClick.clicked_at.is_(None), LinkClick.machine_at))
    statement = (
        select(Link.url, readers, func.count(only_machine))
        .outerjoin(LinkClick, LinkClick.link_id == Link.id)
        .where(Link.newsletter_id == newsletter.id)
        .group_by(Link.id, Link.url)
        .order_by(readers.desc(), Link.id)
        .limit(limit)
    )
    return [Followed(*row) for row in db.session.execute(statement)]


COLUMNS = ("url", "readers", "programs_only")


def rows(newsletter: Newsletter) -> Iterator[list[Any]]:
    """Every link, for a table."""
    for each in links(newsletter):
        yield [each.url, each.readers, each.machines]


def before(newsletter: Newsletter) -> tuple[Newsletter, Outcome] | None:
    """The newsletter on the same topic that was sent before this one."""
    if newsletter.started_at is None:
        return None
    earlier = (
        select(Newsletter)
        .where(Newsletter.status == Status.SENT, Newsletter.topic == newsletter.topic)
        .where(Newsletter.started_at < newsletter.started_at)
        .order_by(Newsletter.started_at.desc(), Newsletter.id.desc())
        .limit(1)
    )
    found = db.session.scalar(earlier)
    return (found, outcome(found)) if found else None


@dataclass
class Group:
    """Partners by their own currency, and what they earned altogether in each, in minor units."""

    partners: dict[str, int] = field(default_factory=dict)
    earned: dict[str, int] = field(default_factory=dict)

    def average(self, currency: str) -> int | None:
        """What one of them with this currency earned; None where there is nobody."""
        number = self.partners.get(currency, 0)
        return divide(self.earned.get(currency, 0), number) if number else None


@dataclass(frozen=True)
class Earnings:
    """Partners who followed a link beside those who did not, until a moment."""

    clickers: Group
    rest: Group
    until: datetime

    @property
    def is_over(self) -> bool:
        return self.until <= clock.now()

    @property
    def currencies(self) -> list[str]:
        return sorted(
            {each for group in (self.clickers, self.rest) for each in (*group.partners, *group.earned)}
        )


def earnings(newsletter: Newsletter) -> Earnings | None:
    """What partners earned in the weeks after they were sent it: sales less refunds, no payouts. In two statements."""
    if newsletter.started_at is None:
        return None
    reached = (
        select(
            Delivery.partner_id,
            func.max(case((Delivery.clicked_at.is_not(None), 1), else_=0)).label("clicked"),
        )
        .where(Delivery.newsletter_id == newsletter.id, Delivery.state == DeliveryState.SENT)
        .where(Delivery.partner_id.is_not(None))
        .group_by(Delivery.partner_id)
        .subquery()
    )
    groups = {0: Group(), 1: Group()}
    numbers = (
        select(reached.c.clicked, Partner.currency, func.count())
        .join(reached, reached.c.partner_id == Partner.id)
        .group_by(reached.c.clicked, Partner.currency)
    )
    for clicked, currency, number in db.session.execute(numbers):
        groups[clicked].partners[currency] = number
    until = newsletter.started_at + AFTERWARDS
    if groups[1].partners:
        sums = (
            select(reached.c.clicked, LedgerEntry.currency, func.sum(LedgerEntry.amount_minor))
            .join(reached, reached.c.partner_id == LedgerEntry.partner_id)
            .where(LedgerEntry.kind != EntryKind.PAYOUT)
            .where(LedgerEntry.occurred_at >= newsletter.started_at, LedgerEntry.occurred_at < until)
            .group_by(reached.c.clicked, LedgerEntry.currency)
        )
        for clicked, currency, amount in db.session.execute(sums):
            groups[clicked].earned[currency] = int(amount)
    return Earnings(groups[1], groups[0], until)
