"""The demo's money: fourteen months of sales with their refunds, monthly payouts and statements."""

import random
from datetime import datetime, time, timedelta
from typing import Any

from ..accounts.demo import Cast
from ..core import months
from ..core.clock import frozen
from ..core.i18n import zone
from ..partners.coupons import coupons
from ..partners.models import Partner, PartnerStatus
from . import booking, payouts
from .booking import PaidBack, Sale
from .models import Attribution, EntryKind, SaleKind

#: Minor units by product and currency; a customer pays them without VAT.
PRICES: dict[str, dict[str, int]] = {
    "Business, year": {"EUR": 23_900, "GBP": 23_900, "PLN": 95_900, "UAH": 899_900},
    "Business, month": {"EUR": 1_200, "GBP": 1_200, "PLN": 4_900, "UAH": 45_000},
    "Start, year": {"EUR": 11_900, "GBP": 11_900, "PLN": 47_900, "UAH": 449_900},
    "Team, year": {"EUR": 47_900, "GBP": 47_900, "PLN": 191_900, "UAH": 1_799_900},
}
WEIGHTS = (8, 4, 5, 2)
#: How many of the first payments they brought; the others share the rest.
STARS = {"WOJCIK": 38, "KRASNOVA": 27, "BRIGHT": 19, "SHEVCHUK": 14, "PODATKOWO": 9, "LEDGERLY": 8}
SALES = 200
DAYS = 424
#: Sales of this month and of the last one that the demo's own people see on their home page.
FRESH = {"WOJCIK": (3, 3), "KRASNOVA": (3, 3), "BRIGHT": (2, 2), "SHEVCHUK": (2, 1)}
COUPON_SHARE = 0.25
REFUNDS = 7


def fill(cast: Cast, rng: random.Random) -> None:
    """Play the sales month by month: book, close the month on the 1st, pay on the 5th."""
    sales = _sales(cast, rng)
    renewals = [
        renewal for sale in sales if "month" in sale.product for renewal in _renewals(sale, cast.now, rng)
    ]
    refunds = _refunds([sale for sale in sales if "year" in sale.product], cast.now, rng)
    payments, since = sales + renewals, cast.now - timedelta(days=DAYS + 1)
    bonus = _first_of_month(cast.now) - timedelta(days=20)
    for moment, step in _calendar(cast.now):
        due = [each for each in payments if since <= each.occurred_at < moment]
        with frozen(moment):
            booking.book_sales(due)
            booking.book_refunds([each for each in refunds if since <= each.occurred_at < moment])
            if since <= bonus < moment:
                _bonuses(cast)
            if step == "close":
                payouts.close_month(months.previous_month(months.month_of(moment)))
            elif step == "pay":
                payouts.pay_everyone()
        since = moment


def _calendar(now: datetime) -> list[tuple[datetime, str]]:
    """When months close and payouts leave, and at last the present."""
    first = months.month_of(now - timedelta(days=DAYS))
    events = []
    while first <= months.month_of(now):
        events.append((months.midnight(first) + timedelta(minutes=7), "close"))
        events.append((months.midnight(first.replace(day=payouts.PAYOUT_DAY)) + timedelta(hours=9), "pay"))
        first = months.next_month(first)
    return [event for event in events if event[0] < now] + [(now, "now")]


def _first_of_month(now: datetime) -> datetime:
    return months.midnight(months.month_of(now))


def _sales(cast: Cast, rng: random.Random) -> list[Sale]:
    partners = [each for each in cast.partners.values() if each.status is not PartnerStatus.APPLIED]
    moments: list[tuple[Partner, datetime]] = []
    beginning = _first_of_month(cast.now)
    before = _first_of_month(beginning - timedelta(days=1))
    for code, count in STARS.items():
        partner, (fresh, last) = cast.partners[code], FRESH.get(code, (0, 0))
        moments += [(partner, _moment(partner, cast.now, rng)) for _ in range(count - fresh - last)]
        moments += [(partner, _between(beginning, cast.now, rng)) for _ in range(fresh)]
        moments += [(partner, _between(before, beginning, rng)) for _ in range(last)]
    others = [each for each in partners if each.code not in STARS]
    while len(moments) < SALES:
        partner = rng.choice(others)
        moments.append((partner, _moment(partner, cast.now, rng)))
    moments.sort(key=lambda each: each[1])
    return [
        _sale(partner, moment, 48_000 + 7 * n + rng.randrange(6), rng)
        for n, (partner, moment) in enumerate(moments)
    ]


def _moment(partner: Partner, now: datetime, rng: random.Random) -> datetime:
    """A moment since the partner joined, in its people's waking hours, more often lately: the programme grows."""
    span = (now - partner.joined_at) / timedelta(days=1)
    end = 26 if partner.status is PartnerStatus.CLOSED else 0.2
    ago = end + max(0.0, span - end - 1) * (1 - rng.random() ** 0.75)
    local = (now - timedelta(days=ago)).astimezone(zone())
    awake = datetime.combine(local.date(), time(rng.randrange(7, 20), rng.randrange(60)), local.tzinfo)
    return min(awake, now - timedelta(minutes=rng.randrange(20, 300)))


def _between(start: datetime, end: datetime, rng: random.Random) -> datetime:
    return start + (end - start) * rng.uniform(0.02, 0.98)


def _sale(partner: Partner, moment: datetime, number: int, rng: random.Random) -> Sale:
    product = rng.choices(list(PRICES), WEIGHTS)[0]
    # A few customers live elsewhere and pay in their own currency.
    currency = partner.currency if rng.random() < 0.94 or partner.currency == "UAH" else "EUR"
    valid = [each for each in coupons(partner) if each.is_valid_at(moment)]
    coupon = valid[0] if valid and rng.random() < COUPON_SHARE else None
    amount = PRICES[product][currency]
    return Sale(
        external_id=str(number),
        occurred_at=moment.replace(microsecond=0),
        partner_id=partner.id,
        amount_minor=amount * 9 // 10 if coupon else amount,
        currency=currency,
        product=product,
        attribution=Attribution.COUPON if coupon else Attribution.LINK,
        coupon_id=coupon.id if coupon else None,
        coupon=coupon.code if coupon else None,
    )


def _renewals(sale: Sale, now: datetime, rng: random.Random) -> list[Sale]:
    """Payments of the following months, until the customer leaves or the first year is over."""
    found: list[Sale] = []
    for month in range(1, rng.choice((3, 6, 11, 11))):
        moment = months.after_days(sale.occurred_at, 30 * month)
        if moment >= now:
            break
        found.append(_renewal(sale, month, moment))
    return found


def _renewal(sale: Sale, month: int, moment: datetime) -> Sale:
    facts: dict[str, Any] = sale.__dict__ | {
        "coupon": None,
        "coupon_id": None,
        "attribution": Attribution.LINK,
    }
    price = PRICES[sale.product][sale.currency]
    return Sale(
        **facts
        | {
            "external_id": f"{sale.external_id}-{month + 1}",
            "occurred_at": moment,
            "kind": SaleKind.RENEWAL,
            "amount_minor": price,
        }
    )


def _refunds(sales: list[Sale], now: datetime, rng: random.Random) -> list[PaidBack]:
    """Some customers get all or a part back; the latest of these while the hold still runs."""
    old = [sale for sale in sales if sale.occurred_at < now - timedelta(days=45)]
    found = []
    for sale in rng.sample(old, min(REFUNDS, len(old))):
        moment = sale.occurred_at + timedelta(days=rng.choice((4, 9, 16, 38)), hours=rng.randrange(1, 9))
        share = rng.choice((1, 1, 2, 4))
        found.append(PaidBack(sale.external_id, moment, sale.amount_minor // share))
    recent = [sale for sale in sales if timedelta(days=8) < now - sale.occurred_at < timedelta(days=30)]
    found += [
        PaidBack(sale.external_id, now - timedelta(days=3), sale.amount_minor // 4) for sale in recent[-1:]
    ]
    return found


def _bonuses(cast: Cast) -> None:
    for code, amount, reason in (
        ("WOJCIK", 30_000, "Cel kwartału osiągnięty"),
        ("BRIGHT", 15_000, "Goal of the quarter reached"),
    ):
        partner = cast.partners[code]
        booking.add(partner, EntryKind.BONUS, amount, partner.currency, reason=reason, actor=cast.anna)
