"""Amounts as the four languages write them."""

import pytest

from hub.core import i18n


@pytest.mark.parametrize(
    ("locale", "minor", "currency", "text"),
    [
        ("en", 112640, "GBP", "£1,126.40"),
        ("en", 187000, "PLN", "1,870.00 zł"),
        ("ru", 128450, "EUR", "1 284,50 €"),
        ("uk", 980, "EUR", "9,80 €"),
        ("uk", -4780, "UAH", "-47,80 ₴"),
        ("pl", 187000, "PLN", "1 870,00 zł"),
        ("pl", 100, "JPY", "100 JPY"),
        ("en", 1234, "KWD", "KWD1.234"),
    ],
)
def test_money(locale, minor, currency, text):
    with i18n.speaking(locale):
        shown = i18n.money(minor, currency)
    assert shown.replace("\xa0", " ").replace("\u202f", " ") == text
