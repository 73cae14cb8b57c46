"""Pending, approved, payable, paid: as the programme's terms say."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hub.core import clock
from hub.core.database import transaction
from hub.earnings import payouts, service
from hub.earnings.service import Summary

from .factories import refund, sell

SOLD = datetime(2026, 9, 2, 10, tzinfo=UTC)
LATER = datetime(2026, 10, 5, 10, tzinfo=UTC)


def balance(partner, currency="EUR"):
    return service.balances(partner)[currency]


def states(partner, currency="EUR"):
    found = balance(partner, currency)
    return found.pending, found.approved, found.payable, found.paid


def test_money_goes_from_pending_to_payable_to_paid(cast):
    with transaction():
        sell(cast.acme, 40_000, SOLD)
    with clock.frozen(SOLD + timedelta(days=29)):
        assert states(cast.acme) == (6_000, 0, 0, 0)
    with clock.frozen(LATER):
        assert states(cast.acme) == (0, 0, 6_000, 0)
        with transaction():
            payouts.pay(cast.acme, "EUR")
        assert states(cast.acme) == (0, 0, 0, 6_000)


def test_a_balance_below_the_minimum_stays_approved_and_is_carried_over(cast):
    with transaction():
        sell(cast.acme, 30_000, SOLD, currency="GBP")  # £45.00 exactly
        sell(cast.acme, 33_333, SOLD)  # €50.00 but for a cent
        sell(cast.acme, 33_333 - 7, SOLD, currency="PLN")
    with clock.frozen(LATER), transaction():
        assert states(cast.acme, "GBP") == (0, 0, 4_500, 0)
        assert states(cast.acme, "EUR") == (0, 0, 5_000, 0)
        assert states(cast.acme, "PLN") == (0, 4_999, 0, 0)
        assert payouts.pay(cast.acme, "PLN") is None
        assert {payout.currency for payout in payouts.pay_everyone()} == {"EUR", "GBP"}


def test_a_refund_after_the_payout_leaves_a_negative_balance_that_the_next_sale_covers(cast):
    with transaction():
        made = sell(cast.acme, 40_000, SOLD)
    with clock.frozen(LATER), transaction():
        payouts.pay(cast.acme, "EUR")
        refund(made, 40_000, LATER)
        sell(cast.acme, 100_000, LATER)
    with clock.frozen(LATER + timedelta(days=1)):
        assert states(cast.acme) == (15_000, -6_000, 0, 6_000)
    with clock.frozen(LATER + timedelta(days=31)), transaction():
        assert states(cast.acme) == (0, 0, 9_000, 6_000)
        assert payouts.pay(cast.acme, "EUR").amount_minor == 9_000
        assert payouts.pay(cast.acme, "EUR") is None


def test_a_month_sums_by_currency_and_state(cast):
    with transaction():
        sell(cast.acme, 40_000, SOLD)
        sell(cast.acme, 10_000, SOLD + timedelta(days=20), currency="GBP")
        sell(cast.acme, 10_000, datetime(2026, 9, 30, 22, tzinfo=UTC))  # October in Oslo
    with clock.frozen(LATER):
        assert service.month_summary(cast.acme, date(2026, 9, 1)) == {
            "EUR": Summary(payable=6_000),
            "GBP": Summary(pending=1_500),
        }
        assert service.month_summary(cast.acme, date(2026, 10, 17)) == {"EUR": Summary(pending=1_500)}


def test_this_month_runs_against_the_last(cast):
    with transaction():
        for day, amount in ((1, 10_000), (5, 20_000), (25, 40_000)):
            sell(cast.acme, amount, datetime(2026, 9, day, 12, tzinfo=UTC))
        sell(cast.acme, 40_000, datetime(2026, 10, 2, 12, tzinfo=UTC))
    with clock.frozen(LATER):
        found = service.this_month_vs_last(cast.acme)
    assert found.this == [0, 6_000, 6_000, 6_000, 6_000]
    assert (len(found.last), found.last_total, found.last_same_day) == (30, 10_500, 4_500)
    assert found.change_bp == 3_333


def test_a_partner_without_sales_has_an_empty_account(cast):
    assert states(cast.acme) == (0, 0, 0, 0)
    assert service.this_month_vs_last(cast.acme).total == 0
    assert service.this_month_vs_last(cast.acme).change_bp is None


def test_sales_of_a_calendar_year_are_counted(cast):
    with transaction():
        sell(cast.acme)
        sell(cast.acme, kind="renewal")
        refund(sell(cast.acme), 23_900, SOLD)
        refund(sell(cast.acme), 1_000, SOLD)
        sell(cast.acme, at=datetime(2025, 12, 31, 22, 59, tzinfo=UTC))
    assert service.sales_count(cast.acme, 2026) == 2
    assert service.sales_count(cast.acme, 2025) == 1


def test_totals_of_a_period(cast):
    with transaction():
        refund(sell(cast.acme, 20_000), 5_000, SOLD)
        sell(cast.other_org, 10_000, currency="GBP", kind="renewal")
    found = service.totals(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert found == {
        "EUR": service.Totals(1, 0, 15_000, 2_250, 1),
        "GBP": service.Totals(0, 1, 10_000, 1_500, 1),
    }


def test_a_closed_month_is_frozen_and_late_entries_go_to_the_next(cast):
    with transaction():
        sell(cast.acme, 40_000, SOLD)
    with clock.frozen(LATER), transaction():
        september = payouts.close_statement(cast.acme, "EUR", date(2026, 9, 1))
        sell(cast.acme, 20_000, SOLD + timedelta(days=1))
        assert payouts.close_statement(cast.acme, "EUR", date(2026, 9, 1)) is september
    assert september.total_minor == 6_000
    with clock.frozen(LATER + timedelta(days=30)), transaction():
        assert payouts.close_statement(cast.acme, "EUR", date(2026, 10, 1)).total_minor == 3_000
        assert payouts.close_month(date(2026, 10, 1)) == 0


def test_a_month_closes_when_it_is_over(cast):
    with pytest.raises(payouts.MonthNotOver), clock.frozen(LATER), transaction():
        payouts.close_statement(cast.acme, "EUR", date(2026, 10, 1))
