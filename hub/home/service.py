"""What a partner's first page shows. A card with nothing to say is left out."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, func, select

from ..accounts.models import User
from ..core import clock, i18n, months
from ..core.database import db
from ..core.frame import link
from ..core.i18n import _
from ..earnings import payouts
from ..earnings import service as earnings
from ..partners import levels
from ..partners.models import Membership, Partner, Tier
from .curve import Curve, draw


@dataclass(frozen=True)
class Money:
    """This month against the last, and where the money is."""

    comparison: earnings.Comparison
    balance: earnings.Balance
    payout_day: date

    @property
    def curve(self) -> Curve:
        return draw(self.comparison)


@dataclass(frozen=True)
class Way:
    """How far the next level is."""

    tier: Tier
    sales: int

    @property
    def left(self) -> int:
        return max(0, self.tier.sales_from - self.sales)


@dataclass(frozen=True)
class Step:
    """A first step, done or still to do."""

    label: str
    done: bool
    url: str | None


def money(partner: Partner) -> Money | None:
    """Nothing before the first entry of the account."""
    comparison = earnings.this_month_vs_last(partner)
    balance = earnings.balances(partner).get(comparison.currency) or earnings.Balance(
        currency=comparison.currency
    )
    if not (any(comparison.this) or any(comparison.last) or balance.total):
        return None
    return Money(comparison, balance, payouts.next_payout_day())


def sales_this_year(partner: Partner) -> int:
    """Sales that count towards a level."""
    return earnings.sales_count(partner, months.this_year())


def way(partner: Partner, sales: int) -> Way | None:
    """The way to the next level from `sales` of this year; None at the top."""
    ladder = levels.ladder()  # first: the partner's own level comes with it
    order = partner.tier.order if partner.tier else 0
    above = [tier for tier in ladder if tier.order > order and tier.sales_from > sales]
    return Way(above[0], sales) if above else None


_MEMBERS = select(func.count()).select_from(Membership).where(Membership.partner_id == bindparam("partner"))


def steps(partner: Partner, sales: int) -> list[Step]:
    """First steps, until all of them are done."""
    members = db.session.scalar(_MEMBERS, {"partner": partner.id})
    complete = bool(partner.website and partner.audience)
    sold = sales > 0
    found = [
        Step(_("Complete the profile"), complete, link("partners.edit_own")),
        Step(_("Take a banner with your link"), sold, link("materials.index")),
        Step(_("Make the first sale"), sold, link("earnings.index")),
        Step(_("Invite a colleague"), bool(members and members > 1), link("partners.own")),
    ]
    return [] if all(step.done for step in found) else found


def greeting(user: User) -> str:
    """By the hour where the reader is."""
    hour = clock.now().astimezone(i18n.zone()).hour
    name = user.name.split()[0] if user.name.split() else user.email
    if 5 <= hour < 12:
        return _("Good morning, %(name)s", name=name)
    if 12 <= hour < 18:
        return _("Good afternoon, %(name)s", name=name)
    return _("Good evening, %(name)s", name=name)
