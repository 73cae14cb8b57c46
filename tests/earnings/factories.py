"""Sales, refunds and their entries."""

import itertools
from datetime import UTC, datetime

from hub.earnings import booking
from hub.earnings.booking import PaidBack, Sale

_numbers = itertools.count(48_000)


def sale(partner, amount=23_900, at=None, currency="EUR", **values) -> Sale:
    """A sale to book; 239.00 of Business for a year unless said otherwise."""
    at = at or datetime(2026, 6, 15, 12, tzinfo=UTC)
    number = values.pop("external_id", None) or str(next(_numbers))
    return Sale(
        **{
            "external_id": number,
            "occurred_at": at,
            "partner_id": partner.id,
            "amount_minor": amount,
            "currency": currency,
            "product": "Business",
        }
        | values
    )


def sell(partner, amount=23_900, at=None, currency="EUR", **values) -> Sale:
    """Book one sale."""
    made = sale(partner, amount, at, currency, **values)
    booking.book_sales([made])
    return made


def refund(made: Sale, total: int, at: datetime) -> None:
    """Book that a customer has got `total` back altogether."""
    booking.book_refunds([PaidBack(made.external_id, at, total)])
