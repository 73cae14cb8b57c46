"""Why an amount is what it is: steps in words, from the snapshot that the entry was counted by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core import i18n
from ..core.i18n import Text, _, _l
from . import money
from .models import EntryKind, LedgerEntry

NAMES: dict[EntryKind, Text] = {
    EntryKind.COMMISSION: _l("Commission"),
    EntryKind.BONUS: _l("Bonus"),
    EntryKind.REVERSAL: _l("Refund"),
    EntryKind.ADJUSTMENT: _l("Correction"),
    EntryKind.PAYOUT: _l("Payout"),
}


@dataclass(frozen=True)
class Step:
    """A line of the calculation."""

    label: str
    value: str
    is_total: bool = False


def title(entry: LedgerEntry) -> str:
    """What an entry is, in a few words."""
    facts = entry.snapshot
    if entry.kind is EntryKind.COMMISSION:
        if facts.get("renewal"):
            return _("Commission on a renewal, order %(order)s", order=facts["order"])
        return _("Commission, order %(order)s", order=facts["order"])
    if entry.kind is EntryKind.REVERSAL:
        if facts["refunded"] == facts["base"]:
            return _("Refund, order %(order)s", order=facts["order"])
        return _("Partial refund, order %(order)s", order=facts["order"])
    if entry.kind is EntryKind.PAYOUT:
        return _("Transfer to your bank account")
    return f"{NAMES[entry.kind]}: {facts.get('reason', '')}".rstrip(": ")


def sale_of(entry: LedgerEntry) -> int | None:
    """What the customer paid, or got back with a minus; None where there is no sale."""
    if entry.kind is EntryKind.REVERSAL:
        return -int(entry.snapshot["refunded"])
    return entry.snapshot.get("base")


def steps(entry: LedgerEntry) -> list[Step]:
    """The calculation, line by line; the last one is the amount."""
    if entry.kind is EntryKind.COMMISSION:
        lines = _commission(entry)
    elif entry.kind is EntryKind.REVERSAL:
        lines = _reversal(entry)
    elif entry.kind is EntryKind.PAYOUT:
        lines = [Step(_("Entries paid with this transfer"), i18n.number(entry.snapshot["entries"]))]
    else:
        lines = [
            Step(_("Reason"), entry.snapshot.get("reason", "")),
            Step(_("Entered by"), entry.snapshot.get("by", "")),
        ]
    return [*lines, Step(str(NAMES[entry.kind]), _signed(entry), is_total=True)]


def _commission(entry: LedgerEntry) -> list[Step]:
    facts = entry.snapshot
    base, rate = facts["base"], facts["rate_bp"]
    lines = [
        Step(
            _("Sale of %(when)s, %(product)s", when=_when(facts), product=facts["product"]),
            _money(base, entry),
        )
    ]
    if facts.get("coupon"):
        lines.append(Step(_("Coupon, its discount taken off already"), facts["coupon"]))
    lines.append(Step(_("Rate on that day, level %(level)s", level=level(facts)), i18n.percent(rate)))
    lines.append(Step(f"{_money(base, entry)} × {i18n.percent(rate)}", _exact(base * rate, entry)))
    if base * rate % money.WHOLE:
        lines.append(Step(_("Rounded once, a half goes up"), _money(entry.amount_minor, entry)))
    return lines


def _reversal(entry: LedgerEntry) -> list[Step]:
    facts = entry.snapshot
    lines = [
        Step(
            _("Sale of %(when)s, %(product)s", when=_when(facts), product=facts["product"]),
            _money(facts["base"], entry),
        ),
        Step(
            _("Commission on it, %(rate)s", rate=i18n.percent(facts["rate_bp"])),
            _money(facts["commission"], entry),
        ),
        Step(_("The customer got back"), _money(facts["refunded"], entry)),
    ]
    if facts["last"] and facts["taken"]:
        lines.append(Step(_("Taken back with earlier refunds"), _money(facts["taken"], entry)))
        lines.append(
            Step(_("The last refund takes what is left"), _money(facts["commission"] - facts["taken"], entry))
        )
    elif not facts["last"]:
        share = f"{_money(facts['commission'], entry)} × {_money(facts['refunded'], entry)} ÷ {_money(facts['base'], entry)}"
        lines.append(Step(share, _money(-entry.amount_minor, entry)))
    return lines


def level(facts: dict[str, Any]) -> str:
    """The level's name at that time, in the reader's language."""
    names = facts.get("tier_names") or {}
    return names.get(i18n.locale()) or names.get("en", "")


def _when(facts: dict[str, Any]) -> str:
    return i18n.format_datetime(datetime.fromisoformat(facts["sold_at"]))


def _money(minor: int, entry: LedgerEntry) -> str:
    return i18n.money(minor, entry.currency)


def _exact(product: int, entry: LedgerEntry) -> str:
    """A product of minor units and basis points with all its decimals: 32.265."""
    digits = i18n.exponent(entry.currency) + 4
    text = f"{product:0{digits + 1}d}"
    whole, fraction = text[:-digits], text[-digits:]
    kept = fraction.rstrip("0").ljust(i18n.exponent(entry.currency), "0")
    return i18n.number(int(whole)) + (_point() + kept if kept else "")


def _point() -> str:
    return i18n.number(0.5, 1)[1]


def _signed(entry: LedgerEntry) -> str:
    sign = "+" if entry.amount_minor > 0 else ""
    return sign + _money(entry.amount_minor, entry)
