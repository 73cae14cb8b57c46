"""Sales, refunds and their entries."""

import itertools
from datetime import UTC, date, datetime

from sqlalchemy import select

from hub.core import imports
from hub.core.database import db
from hub.earnings import booking, payouts
from hub.earnings.booking import PaidBack, Sale
from hub.earnings.importing import SALES
from hub.earnings.models import LedgerEntry

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


HEADER = "external_id,occurred_at,partner_code,coupon,amount,currency,product,status,refunded_amount"


def csv(*lines: str) -> bytes:
    """A file of sales with these rows."""
    return "\n".join([HEADER, *lines]).encode()


def sample(cast):
    """Entries of every kind in two currencies, a closed month, a payout and an uploaded file."""
    at = datetime(2026, 6, 15, 12, tzinfo=UTC)
    made = sell(cast.acme, 100_000, at)
    sell(cast.acme, 21_510, at, currency="GBP")
    sell(cast.acme, at=datetime(2026, 11, 20, tzinfo=UTC))
    refund(made, 50_000, at)
    entry = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
    statement = payouts.close_statement(cast.acme, "EUR", date(2026, 6, 1))
    payouts.pay(cast.acme, "EUR")
    row = "A1,2026-06-20T10:00,ACME,,20.00,EUR,Start,sale,"
    upload, _plan = imports.preview(SALES, "sales.csv", csv(row), cast.manager)
    db.session.flush()
    return {"entry": entry.id, "statement": statement.id, "import": upload.id}
