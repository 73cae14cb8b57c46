"""Sales and refunds become entries whose sums never drift."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.core import clock
from hub.core.database import db, transaction
from hub.earnings import booking, money, plans
from hub.earnings.models import EntryKind, LedgerEntry, WrittenOnce
from hub.partners import levels

from .factories import refund, sale, sell

JUNE = datetime(2026, 6, 15, 12, tzinfo=UTC)


def entries():
    return list(db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))


def amounts():
    return [entry.amount_minor for entry in entries()]


@pytest.mark.parametrize(
    ("base", "rate", "expected"),
    [
        (21_510, 1500, 3_227),  # £215.10 at 15 % = 32.265
        (-21_510, 1500, -3_227),
        (1, 5000, 1),  # half a minor unit goes up …
        (-1, 5000, -1),  # … on the magnitude
        (1, 4999, 0),
        (0, 2500, 0),
        (333, 1500, 50),  # 49.95
        (10**15, 2500, 25 * 10**13),
    ],
)
def test_commission_is_rounded_half_up_on_the_magnitude(base, rate, expected):
    assert money.commission(base, rate) == expected


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("215.10", "GBP", 21_510),
        ("215,1", "PLN", 21_510),
        ("215", "EUR", 21_500),
        ("1200", "JPY", 1_200),
        ("1.234", "KWD", 1_234),
        ("0.01", "EUR", 1),
    ],
)
def test_amounts_are_read_with_the_exponent_of_their_currency(text, currency, expected):
    assert money.parse(text, currency) == expected
    assert money.parse(money.plain(expected, currency), currency) == expected


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("215.105", "EUR"),
        ("12.5", "JPY"),
        ("1,234.50", "EUR"),
        ("1 234", "EUR"),
        ("-5", "EUR"),
        ("", "EUR"),
        ("NaN", "EUR"),
        ("1e3", "EUR"),
        ("٣", "EUR"),
        ("99999999999999999999", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(text, currency):
    with pytest.raises(money.NotAnAmount):
        money.parse(text, currency)


def test_a_sale_is_counted_at_the_lowest_level_at_first(cast):
    with transaction():
        sell(cast.acme, 21_510, currency="GBP")
    (entry,) = entries()
    assert (entry.kind, entry.amount_minor, entry.currency) == (EntryKind.COMMISSION, 3_227, "GBP")
    assert entry.snapshot["rate_bp"] == 1500
    assert entry.available_at - entry.occurred_at == timedelta(days=30)


def test_a_hold_keeps_the_time_of_day_when_the_clocks_change(cast):
    with transaction():
        sell(cast.acme, at=datetime(2026, 9, 30, 22, 30, tzinfo=UTC))  # 00:30 on 1 October in Oslo
    assert entries()[0].available_at == datetime(2026, 10, 30, 23, 30, tzinfo=UTC)  # 00:30 on 31 October


def test_the_tenth_sale_leads_to_silver_and_the_eleventh_is_counted_so(cast):
    with transaction():
        booking.book_sales([sale(cast.acme, 10_000, JUNE + timedelta(days=n)) for n in range(34)])
    assert amounts() == [1_500] * 10 + [2_000] * 20 + [2_500] * 4
    assert cast.acme.tier.key == "gold"


def test_sales_of_the_same_moment_still_follow_each_other(cast):
    with transaction():
        booking.book_sales([sale(cast.acme, 10_000, JUNE) for _ in range(10)])
        booking.book_sales([sale(cast.acme, 10_000, JUNE + timedelta(seconds=1))])
    assert amounts()[-1] == 2_000


def test_two_thresholds_in_one_moment_leave_one_step(cast):
    with transaction():
        booking.book_sales([sale(cast.acme, 10_000, JUNE) for _ in range(40)])
    assert [each.tier.key for each in levels.history(cast.acme)] == ["gold", "bronze"]
    assert cast.acme.tier.key == "gold"


def test_a_calendar_year_begins_at_the_lowest_level_in_oslo(cast):
    new_year = datetime(2026, 12, 31, 23, tzinfo=UTC)
    with transaction():
        booking.book_sales([sale(cast.acme, 10_000, JUNE) for _ in range(12)])
        booking.book_sales(
            [sale(cast.acme, 10_000, new_year - timedelta(seconds=1)), sale(cast.acme, 10_000, new_year)]
        )
    assert amounts()[-2:] == [2_000, 1_500]
    assert cast.acme.tier.key == "bronze"


def test_renewals_earn_and_do_not_count(cast):
    with transaction():
        booking.book_sales([sale(cast.acme, 10_000, JUNE, kind="renewal") for _ in range(12)])
        sell(cast.acme, 10_000, JUNE + timedelta(days=1))
    assert amounts() == [1_500] * 13


def test_a_sale_refunded_in_full_leaves_the_counter(cast):
    with transaction():
        first = sell(cast.acme, 10_000, JUNE)
        refund(first, 10_000, JUNE + timedelta(days=1))
        booking.book_sales([sale(cast.acme, 10_000, JUNE + timedelta(days=2 + n)) for n in range(10)])
    assert amounts() == [1_500, -1_500, *[1_500] * 10]


def test_a_late_file_never_changes_the_level_of_the_past(cast):
    with transaction():
        booking.book_sales([sale(cast.acme, 10_000, JUNE + timedelta(days=n)) for n in range(9)])
        sell(cast.acme, 10_000, JUNE - timedelta(days=30))  # the tenth to arrive, the first in time
    standing = levels.standing(cast.acme)
    assert standing.tier_at(JUNE + timedelta(days=8)).key == "bronze"
    assert standing.tier_at(JUNE + timedelta(days=9)).key == "silver"


def test_partial_refunds_are_proportional_and_the_last_takes_the_rest(cast):
    with transaction():
        made = sell(cast.acme, 21_510, currency="GBP")
        refund(made, 10_755, JUNE + timedelta(days=3))
        refund(made, 21_510, JUNE + timedelta(days=24))
    assert amounts() == [3_227, -1_614, -1_613]


def test_a_refund_on_hold_lowers_what_is_pending_and_a_late_one_counts_at_once(cast):
    with transaction():
        made = sell(cast.acme, 10_000)
        refund(made, 2_500, JUNE + timedelta(days=3))
        refund(made, 5_000, JUNE + timedelta(days=50))
    _sale, early, late = entries()
    assert early.available_at == entries()[0].available_at
    assert late.available_at == JUNE + timedelta(days=50)


def test_a_new_rate_counts_from_its_moment_on(cast, manager):
    with transaction():
        sell(cast.acme, 10_000)
        bronze = levels.ladder()[0]
        with clock.frozen(JUNE + timedelta(days=1)):
            plans.set_rate(bronze, 1700, JUNE + timedelta(days=10), manager)
        sell(cast.acme, 10_000, JUNE + timedelta(days=9))
        sell(cast.acme, 10_000, JUNE + timedelta(days=10))
    assert amounts() == [1_500, 1_500, 1_700]


def test_a_rate_of_the_past_is_refused(cast, manager):
    with transaction():
        bronze = levels.ensure_ladder()[0]
    with pytest.raises(plans.PlanInThePast), transaction():
        plans.set_rate(bronze, 1700, clock.now() - timedelta(days=1), manager)


def test_an_entry_is_never_rewritten_or_removed(cast):
    with transaction():
        sell(cast.acme)
    for change in (lambda entry: setattr(entry, "amount_minor", 1), db.session.delete):
        with pytest.raises(WrittenOnce), transaction():
            change(entries()[0])
    assert amounts() == [3_585]
