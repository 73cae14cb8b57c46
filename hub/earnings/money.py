"""Arithmetic of money: integer minor units, basis points, and one rule of rounding."""

import functools
from decimal import Decimal, InvalidOperation

from babel.core import get_global

from ..core.i18n import exponent

#: A balance below this is carried over; other currencies are paid out from the first unit.
MINIMUMS = {"EUR": 5_000, "GBP": 4_500, "PLN": 20_000, "UAH": 200_000}
WHOLE = 10_000  # basis points
LARGEST = 10**15  # minor units; more is a slip of the keyboard


class NotAnAmount(ValueError):
    """Text that is no amount of its currency; `digits` tells how many decimals would fit."""

    def __init__(self, digits: int) -> None:
        self.digits = digits


def divide(numerator: int, denominator: int) -> int:
    """The quotient rounded half up on its magnitude, the sign applied after: 0.5 → 1, −0.5 → −1."""
    negative = (numerator < 0) != (denominator < 0)
    quotient = (2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator))
    return -quotient if negative else quotient


def commission(base_minor: int, rate_bp: int) -> int:
    """A rate of a base, rounded once to the minor unit."""
    return divide(base_minor * rate_bp, WHOLE)


def reversal(
    commission_minor: int, reversed_minor: int, part_minor: int, amount_minor: int, *, is_last: bool
) -> int:
    """What a refund of `part` of `amount` takes back: its share of the commission, at most what is left.

    The last refund takes exactly what is left. The result is zero or negative;
    `reversed_minor` is what earlier refunds took, zero or positive.
    """
    left = commission_minor - reversed_minor
    return -(left if is_last else min(left, divide(commission_minor * part_minor, amount_minor)))


def minimum(currency: str) -> int:
    """The smallest balance that is paid out."""
    return MINIMUMS.get(currency, 1)


@functools.cache
def _currencies() -> frozenset[str]:
    """Currencies that are legal tender somewhere today: historic codes are slips of the keyboard."""
    uses = (use for territory in get_global("territory_currencies").values() for use in territory)
    return frozenset(code for code, _start, end, is_tender in uses if end is None and is_tender)


def is_currency(code: str) -> bool:
    """Is this the ISO 4217 code of a currency in use?"""
    return code in _currencies()


def parse(text: str, currency: str) -> int:
    """“215.10” or “215,10” in minor units of the currency; raises NotAnAmount.

    Thousands are not grouped, for “1,234” would mean two things.
    """
    digits = exponent(currency)
    plain = text.strip().replace(",", ".")
    whole, _, fraction = plain.partition(".")
    if (
        not (whole.isascii() and whole.isdigit())
        or len(fraction) > digits
        or (fraction and not fraction.isdigit())
    ):
        raise NotAnAmount(digits)
    try:
        value = int(Decimal(plain if fraction else whole).scaleb(digits))
    except InvalidOperation as error:
        raise NotAnAmount(digits) from error
    if value > LARGEST:
        raise NotAnAmount(digits)
    return value


def plain(minor: int, currency: str) -> str:
    """Minor units as a number for machines: 3227, EUR → “32.27”."""
    return format(Decimal(minor).scaleb(-exponent(currency)), "f")
