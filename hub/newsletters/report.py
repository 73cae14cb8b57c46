"""What became of a newsletter: in all, by level, by country; few statements however many got it."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from ..core import i18n
from ..core.database import db
from ..earnings.money import WHOLE, divide
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

    def share(self, number: int) -> str:
        """`number` of the mails sent, in percent."""
        return i18n.percent(divide(number * WHOLE, self.sent)) if self.sent else "–"

    def tells(self, newsletter: Newsletter) -> set[str]:
        """What is known of the mails: nobody counting is another thing than none. A mail server tells only what comes back."""
        known = {
            "delivered": self.delivered,
            "opened": newsletter.tracks_opens or self.opened or self.machine_opened,
            "clicked": newsletter.tracks_clicks or self.clicked,
        }
        return {name for name, is_known in known.items() if is_known}


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


class Report:
    """Its mails by the partners' present level and country, looked through once for everything."""

    def __init__(self, newsletter: Newsletter) -> None:
        statement = (
            select(Partner.tier_id, Partner.country, Delivery.state, func.count(), *_FIGURES)
            .select_from(Delivery)
            .outerjoin(Partner, Partner.id == Delivery.partner_id)
            .where(Delivery.newsletter_id == newsletter.id)
            .group_by(Partner.tier_id, Partner.country, Delivery.state)
        )
        self.counts = {state.value: 0 for state in DeliveryState}
        self._rows = []
        for tier, country, state, number, *figures in db.session.execute(statement):
            self.counts[state.value] += number
            self._rows.append((tier, country, Outcome(*figures)))

    @property
    def outcome(self) -> Outcome:
        """Of all its mails."""
        return _sum(figures for _tier, _country, figures in self._rows)

    def by_tier(self) -> list[tuple[str, Outcome]]:
        """The highest level first."""
        found = _grouped((tier, figures) for tier, _country, figures in self._rows if tier)
        tiers = db.session.scalars(select(Tier).order_by(Tier.order.desc()))
        return [
            (tier.names.get(i18n.locale()) or tier.names.get("en", tier.key), found[tier.id])
            for tier in tiers
            if tier.id in found
        ]

    def by_country(self) -> list[tuple[str, Outcome]]:
        """The country with most mails first."""
        found = _grouped((country, figures) for _tier, country, figures in self._rows if country)
        most = sorted(found.items(), key=lambda each: (-each[1].sent, each[0]))
        return [(wording.country(code), figures) for code, figures in most]


def _grouped(rows: Iterable[tuple[Any, Outcome]]) -> dict[Any, Outcome]:
    found: dict[Any, list[Outcome]] = {}
    for key, figures in rows:
        found.setdefault(key, []).append(figures)
    return {key: _sum(each) for key, each in found.items()}


def _sum(rows: Iterable[Outcome]) -> Outcome:
    columns = zip(*(astuple(each) for each in rows), strict=True)
    sums = [sum(each) for each in columns]
    return Outcome(*sums) if sums else Outcome(*([0] * len(_FIGURES)))


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
