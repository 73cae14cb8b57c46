"""The ledger as CSV: every amount a number, every text harmless to spreadsheets."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from ..core import i18n, months, sheets
from ..core.i18n import _
from . import explaining, service
from .models import LedgerEntry


def entries(rows: Iterable[LedgerEntry], balance: service.Balance) -> bytes:
    """Entries of one currency, their times in the programme's zone."""
    header = (
        _("Date"), _("Entry"), _("Order"), _("Product"), _("Coupon"), _("Sale"), _("Rate, %"), _("Level"),
        _("Amount"), _("Currency"), _("State"), _("Hold ends"),
    )  # fmt: skip
    return sheets.write(header, (_cells(row, balance) for row in rows))


def _cells(entry: LedgerEntry, balance: service.Balance) -> tuple[object, ...]:
    facts, currency = entry.snapshot, entry.currency
    sale = explaining.sale_of(entry)
    rate = facts.get("rate_bp")
    return (
        _moment(entry.occurred_at), explaining.title(entry), facts.get("order"), facts.get("product"), facts.get("coupon"),
        None if sale is None else amount(sale, currency), None if rate is None else Decimal(rate) / 100,
        explaining.level(facts), amount(entry.amount_minor, currency), currency,
        str(service.state_of(entry, balance)), _moment(entry.available_at),
    )  # fmt: skip


def amount(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-i18n.exponent(currency))


def _moment(moment: datetime) -> str:
    return moment.astimezone(months.zone()).strftime("%Y-%m-%d %H:%M:%S")
