"""What became of a newsletter: in all, by level, by country; each a single statement however many got it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from ..core import i18n
from ..core.database import db
from ..partners.models import Partner, Tier
from . import wording
from .models import Delivery, DeliveryState, Newsletter


@dataclass(frozen=True)
class Outcome:
    """Mails by what is known of them. Of those that were sent, some are reported on afterwards."""

    sent: int
    delivered: int
    opened: int
    machine_opened: int
    clicked: int
    bounced: int
    complained: int
    unsubscribed: int
    uncertain: int

    @property
    def is_reported_on(self) -> bool:
        """Has anybody told what became of them? A mail server alone never does."""
        return any((self.delivered, self.opened, self.machine_opened, self.clicked, self.bounced))


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


_FIGURES = (
    _number(Delivery.state == DeliveryState.SENT),
    # A mail may be reported as taken first and come back later: then it was not delivered.
    _number(Delivery.delivered_at.is_not(None) & Delivery.bounced_at.is_(None)),
    _number(Delivery.opened_at.is_not(None)),
    _number(Delivery.machine_opened_at.is_not(None) & Delivery.opened_at.is_(None)),
    _number(Delivery.clicked_at.is_not(None)),
    _number(Delivery.bounced_at.is_not(None)),
    _number(Delivery.complained_at.is_not(None)),
    _number(Delivery.unsubscribed_at.is_not(None)),
    _number(Delivery.state == DeliveryState.UNCERTAIN),
)


def outcome(newsletter: Newsletter) -> Outcome:
    """Of all its mails."""
    row = db.session.execute(select(*_FIGURES).where(Delivery.newsletter_id == newsletter.id)).one()
    return Outcome(*row)


def by_tier(newsletter: Newsletter) -> list[tuple[str, Outcome]]:
    """By the present level of the partner, the highest first."""
    found = dict(_grouped(newsletter, Partner.tier_id))
    tiers = db.session.scalars(select(Tier).order_by(Tier.order.desc()))
    return [
        (tier.names.get(i18n.locale()) or tier.names.get("en", tier.key), found[tier.id])
        for tier in tiers
        if tier.id in found
    ]


def by_country(newsletter: Newsletter) -> list[tuple[str, Outcome]]:
    """By the partner's country, the one with most mails first."""
    found = sorted(_grouped(newsletter, Partner.country), key=lambda each: (-each[1].sent, str(each[0])))
    return [(wording.country(code), figures) for code, figures in found if code]


def _grouped(newsletter: Newsletter, column: Any) -> Iterator[tuple[Any, Outcome]]:
    statement = (
        select(column, *_FIGURES)
        .join(Partner, Partner.id == Delivery.partner_id)
        .where(Delivery.newsletter_id == newsletter.id)
        .group_by(column)
    )
    for key, *figures in db.session.execute(statement):
        yield key, Outcome(*figures)


#: Columns of the export.
COLUMNS = (
    *("address", "name", "locale", "state", "reason", "attempts", "sent_at", "delivered_at", "opened_at"),
    *("machine_opened_at", "clicked_at", "bounced_at", "complained_at", "unsubscribed_at"),
)


def rows(newsletter: Newsletter) -> Iterator[list[Any]]:
    """Every mail, for a table; moments in UTC (ISO 8601)."""
    columns = [getattr(Delivery, name) for name in COLUMNS]
    statement = select(Delivery.id, *columns).where(Delivery.newsletter_id == newsletter.id)
    last = 0
    while found := db.session.execute(
        statement.where(Delivery.id > last).order_by(Delivery.id).limit(5000)
    ).all():
        last = found[-1].id
        for _id, *values in found:
            yield [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
