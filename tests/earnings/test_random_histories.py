"""On random histories ledger, CSV, page and statements agree with a naive oracle to the minor unit."""

import csv as csvlib
import html
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from hub.core import clock, months
from hub.core.database import db, transaction
from hub.core.i18n import exponent, money, speaking
from hub.earnings import booking, payouts, service
from hub.earnings.booking import PaidBack
from hub.earnings.models import Conversion, EntryKind, LedgerEntry, Payout, Refund, Statement
from hub.partners.models import TierAssignment

from .factories import sale

START = datetime(2026, 1, 3, 10, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)

histories = st.lists(
    st.tuples(
        st.integers(0, 320),  # day of the sale
        st.integers(1, 3_000_000),  # minor units
        st.sampled_from(["EUR", "GBP", "JPY", "KWD"]),
        st.lists(st.integers(1, 100), max_size=3),  # shares of what is left, given back
    ),
    min_size=1,
    max_size=25,
)


def rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def oracle(history):
    """Sum by currency of commissions less refunds, counted sale by sale with decimals."""
    sums: dict[str, int] = {}
    for number, (_day, amount, currency, shares) in enumerate(sorted(history, key=lambda each: each[0])):
        rate = Decimal("0.15") if number < 10 else Decimal("0.20")
        earned = rounded(amount * rate)
        left, taken = amount, 0
        for share in shares:
            part = max(1, left * share // 100) if left else 0
            if part:
                left -= part
                taken += (
                    earned - taken
                    if left == 0
                    else min(earned - taken, rounded(Decimal(earned) * part / amount))
                )
        sums[currency] = sums.get(currency, 0) + earned - taken
    return sums


def play(partner, history):
    """Book the history: all sales, then the refunds of each."""
    made = [
        sale(partner, amount, START + timedelta(days=day, seconds=at), currency)
        for at, (day, amount, currency, _shares) in enumerate(sorted(history, key=lambda each: each[0]))
    ]
    booking.book_sales(made)
    for each, (_day, amount, _currency, shares) in zip(
        made, sorted(history, key=lambda each: each[0]), strict=True
    ):
        left = amount
        for number, share in enumerate(shares):
            part = max(1, left * share // 100) if left else 0
            if part:
                left -= part
                moment = each.occurred_at + timedelta(days=number + 1)
                booking.book_refunds([PaidBack(each.external_id, moment, amount - left)])


def forget():
    with transaction() as session:
        for model in (Refund, LedgerEntry, Payout, Statement, Conversion, TierAssignment):
            session.execute(model.__table__.delete())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_all_doors_tell_the_same_sums(cast, browse, history):
    forget()
    # Full refunds leave the counter only of sales booked later, so here every sale is booked first.
    with transaction():
        play(cast.acme, history)
    expected = oracle(history)
    assert ledger_sums() == expected
    with clock.frozen(END), speaking("en"):
        assert month_sums(cast.acme) == expected
        assert balance_sums(cast.acme) == expected
        assert statement_sums() == expected
        browser = browse(cast.partner)
        for currency, amount in expected.items():
            assert csv_sum(browser, currency) == Decimal(amount).scaleb(-exponent(currency))
            page = html.unescape(browser.get(f"/earnings/?currency={currency}").text)
            assert shown_total(page) == money(amount, currency)
        assert_the_glance_agrees(cast.acme)
        with transaction():
            payouts.pay_everyone()
        assert balance_sums(cast.acme, with_paid=True) == expected
        assert_the_glance_agrees(cast.acme)


def ledger_sums():
    sums = select(LedgerEntry.currency, func.sum(LedgerEntry.amount_minor)).group_by(LedgerEntry.currency)
    return {currency: int(amount) for currency, amount in db.session.execute(sums)}


def assert_the_glance_agrees(partner):
    last, this = months.last_months(2)
    summaries, balances = service.month_summaries(partner, [last, this]), service.balances(partner)
    for each in service.glance(partner):
        assert each.this_month == summaries[this].get(each.currency, service.Summary()).total
        assert each.last_month == summaries[last].get(each.currency, service.Summary()).total
        assert each.payable == balances[each.currency].payable
    assert {each.currency for each in service.glance(partner)} >= {*summaries[this], *summaries[last]}


def month_sums(partner):
    sums: dict[str, int] = {}
    for by_currency in service.month_summaries(partner, months.last_months(13)).values():
        for currency, summary in by_currency.items():
            sums[currency] = sums.get(currency, 0) + summary.total
    return sums


def balance_sums(partner, *, with_paid=False):
    found = service.balances(partner)
    return {
        currency: each.pending + each.approved + each.payable + (each.paid if with_paid else 0)
        for currency, each in found.items()
        if currency != partner.currency or currency in ledger_currencies()
    }


def ledger_currencies():
    return set(
        db.session.scalars(
            select(LedgerEntry.currency).where(LedgerEntry.kind != EntryKind.PAYOUT).distinct()
        )
    )


def statement_sums():
    """Close every month there is; the sum of all statements."""
    with transaction():
        for month in months.last_months(14)[:-1]:
            payouts.close_month(month)
        sums = select(Statement.currency, func.sum(Statement.total_minor)).group_by(Statement.currency)
        return {currency: int(amount) for currency, amount in db.session.execute(sums)}


def csv_sum(browser, currency):
    text = browser.get(f"/earnings/of/ACME/ledger.csv?currency={currency}").data.decode("utf-8-sig")
    return sum((Decimal(row["Amount"]) for row in csvlib.DictReader(io.StringIO(text))), Decimal())


def shown_total(page):
    return re.search(r"([^\s>]*) altogether", page).group(1)
