"""Payouts and statements: what has become payable leaves; a month closes and stays."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from ..core import clock, months
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _l
from ..partners.models import Partner
from . import money
from .booking import lock
from .models import EntryKind, LedgerEntry, Payout, Statement

PAYOUT_DAY = 5


class MonthNotOver(HubError):
    message = _l("A statement closes when its month is over.")


def next_payout_day() -> date:
    """The next 5th in the programme's time zone, today included."""
    today = months.day_of(clock.now())
    month = today if today.day <= PAYOUT_DAY else months.next_month(today)
    return month.replace(day=PAYOUT_DAY)


def pay(partner: Partner, currency: str) -> Payout | None:
    """Pay out what is available now; None when the balance is below the minimum.

    Refunds after a payout are negative entries of the same balance, so what
    was paid too much is made up for here.
    """
    lock([partner.id])
    moment = clock.now()
    due = (
        LedgerEntry.partner_id == partner.id,
        LedgerEntry.currency == currency,
        LedgerEntry.payout_id.is_(None),
        LedgerEntry.available_at <= moment,
    )
    amount, count = db.session.execute(
        select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0), func.count()).where(*due)
    ).one()
    amount = int(amount)
    if amount < money.minimum(currency):
        return None
    payout = Payout(partner_id=partner.id, currency=currency, amount_minor=amount, paid_at=moment)
    db.session.add(payout)
    db.session.flush()
    db.session.execute(
        update(LedgerEntry).where(*due).values(payout_id=payout.id),
        execution_options={"synchronize_session": False},
    )
    db.session.add(
        LedgerEntry(
            partner_id=partner.id,
            kind=EntryKind.PAYOUT,
            amount_minor=-amount,
            currency=currency,
            occurred_at=moment,
            available_at=moment,
            payout_id=payout.id,
            snapshot={"entries": count},
        )
    )
    db.session.flush()
    return payout


def pay_everyone() -> list[Payout]:
    """Pay every partner whatever has become payable."""
    moment = clock.now()
    due = (
        select(LedgerEntry.partner_id, LedgerEntry.currency)
        .where(LedgerEntry.payout_id.is_(None), LedgerEntry.available_at <= moment)
        .group_by(LedgerEntry.partner_id, LedgerEntry.currency)
        .having(func.sum(LedgerEntry.amount_minor) > 0)
        .order_by(LedgerEntry.partner_id, LedgerEntry.currency)
    )
    accounts = list(db.session.execute(due))
    partners = {partner.id: partner for partner in lock(partner_id for partner_id, _currency in accounts)}
    paid = [pay(partners[partner_id], currency) for partner_id, currency in accounts]
    return [each for each in paid if each is not None]


def close_statement(partner: Partner, currency: str, month: date) -> Statement:
    """Freeze a month; the one that is closed already when there is one.

    It takes everything up to the month's end that no statement holds: what
    arrives late for a closed month goes to the next. Raises MonthNotOver.
    """
    month = month.replace(day=1)
    _start, end = months.bounds(month)
    if clock.now() < end:
        raise MonthNotOver
    lock([partner.id])
    closed = db.session.scalar(
        select(Statement).where(
            Statement.partner_id == partner.id, Statement.currency == currency, Statement.month == month
        )
    )
    return closed or _close(partner, currency, month, end)


def _close(partner: Partner, currency: str, month: date, end: datetime) -> Statement:
    open_: tuple[Any, ...] = (
        LedgerEntry.partner_id == partner.id,
        LedgerEntry.currency == currency,
        LedgerEntry.statement_id.is_(None),
        LedgerEntry.occurred_at < end,
    )
    total = db.session.scalar(select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0)).where(*open_)) or 0
    statement = Statement(partner_id=partner.id, currency=currency, month=month, total_minor=int(total))
    db.session.add(statement)
    db.session.flush()
    db.session.execute(
        update(LedgerEntry).where(*open_).values(statement_id=statement.id),
        execution_options={"synchronize_session": False},
    )
    return statement


def close_month(month: date) -> int:
    """Close a month for everyone who has something in it; how many statements. Safe to repeat."""
    _start, end = months.bounds(month)
    accounts = list(
        db.session.execute(
            select(LedgerEntry.partner_id, LedgerEntry.currency)
            .where(LedgerEntry.statement_id.is_(None), LedgerEntry.occurred_at < end)
            .distinct()
            .order_by(LedgerEntry.partner_id, LedgerEntry.currency)
        )
    )
    partners = {partner.id: partner for partner in lock(partner_id for partner_id, _currency in accounts)}
    for partner_id, currency in accounts:
        close_statement(partners[partner_id], currency, month)
    return len(accounts)
