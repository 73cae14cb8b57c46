"""Levels: who stands where and since when. Intervals of one partner never overlap."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..core import audit, clock, months
from ..core.database import db
from .models import Partner, Tier, TierAssignment, TierCause

#: Of a new installation; a programme changes its rates by new versions of its plans.
DEFAULT = (
    ("bronze", {"en": "Bronze", "ru": "Бронза", "uk": "Бронза", "pl": "Brązowy"}, 1500, 0),
    ("silver", {"en": "Silver", "ru": "Серебро", "uk": "Срібло", "pl": "Srebrny"}, 2000, 10),
    ("gold", {"en": "Gold", "ru": "Золото", "uk": "Золото", "pl": "Złoty"}, 2500, 30),
)
#: A level counts from just after the sale that led to it.
JUST_AFTER = timedelta(microseconds=1)


_LADDER = select(Tier).order_by(Tier.order)


def ladder() -> list[Tier]:
    """All levels, lowest first."""
    return list(db.session.scalars(_LADDER))


def ensure_ladder() -> list[Tier]:
    """All levels; the default ones are added where there are none yet."""
    tiers = ladder()
    if not tiers:
        tiers = [
            Tier(key=key, names=names, order=order, rate_bp=rate, sales_from=sales)
            for order, (key, names, rate, sales) in enumerate(DEFAULT, 1)
        ]
        db.session.add_all(tiers)
        db.session.flush()
    return tiers


class Standing:
    """The levels of one partner through time."""

    def __init__(self, partner: Partner, tiers: list[Tier], assignments: Iterable[TierAssignment]) -> None:
        self.partner = partner
        self.tiers = tiers
        self.assignments = sorted(assignments, key=lambda each: each.starts_at)

    def tier_at(self, moment: datetime) -> Tier:
        """The level at a moment; before the first one, the lowest."""
        found = self._covering(moment)
        return found.tier if found else self.tiers[0]

    def begin_by(self, moment: datetime) -> None:
        """Let the first level reach back to a sale that is older than the partner's entry here."""
        first = self.assignments[0]
        if first.cause is TierCause.START and moment < first.starts_at:
            first.starts_at = moment

    def reset_for(self, year: int) -> None:
        """Everyone starts a calendar year from the lowest level."""
        beginning, _end = months.year_bounds(year)
        before = self._covering(beginning)
        if before and before.starts_at < beginning and before.tier is not self.tiers[0]:
            self.assign(self.tiers[0], beginning, TierCause.NEW_YEAR)

    def earn(self, sales: int, moment: datetime) -> Tier | None:
        """The higher level that `sales` of a year lead to, from just after `moment`; None when there is none."""
        earned = [tier for tier in self.tiers if tier.sales_from <= sales][-1]
        if earned.order <= self.tier_at(moment + JUST_AFTER).order:
            return None
        self.assign(earned, moment + JUST_AFTER, TierCause.SALES)
        return earned

    def assign(self, tier: Tier, at: datetime, cause: TierCause, actor: Any = None) -> TierAssignment:
        """Begin a level at a moment: the one in force ends there, later ones stay, one of the same moment gives way."""
        before = self._covering(at)
        if before and before.starts_at == at:
            before.tier, before.cause, before.actor_id = tier, cause, getattr(actor, "id", None)
            return self._present(before)
        later = [each.starts_at for each in self.assignments if each.starts_at > at]
        new = TierAssignment(
            partner_id=self.partner.id,
            tier=tier,
            starts_at=at,
            cause=cause,
            actor_id=getattr(actor, "id", None),
            ends_at=before.ends_at if before else min(later, default=None),
        )
        if before:
            before.ends_at = at
            db.session.flush()  # the open interval ends before another one opens
        db.session.add(new)
        db.session.flush()
        self.assignments = sorted([*self.assignments, new], key=lambda each: each.starts_at)
        return self._present(new)

    def _present(self, changed: TierAssignment) -> TierAssignment:
        """The open interval is the partner's level of today."""
        if changed.ends_at is None:
            self.partner.tier = changed.tier
        return changed

    def _covering(self, moment: datetime) -> TierAssignment | None:
        for each in reversed(self.assignments):
            if each.starts_at <= moment and (each.ends_at is None or moment < each.ends_at):
                return each
        return None


def standings(partners: Iterable[Partner]) -> dict[int, Standing]:
    """The levels of many partners by their ids; those who have none yet start at the lowest when they joined."""
    partners, tiers = list(partners), ensure_ladder()
    found: dict[int, list[TierAssignment]] = {partner.id: [] for partner in partners}
    rows = select(TierAssignment).order_by(TierAssignment.starts_at)
    if len(found) < 500:
        rows = rows.where(TierAssignment.partner_id.in_(found))
    for each in db.session.scalars(rows):
        if each.partner_id in found:
            found[each.partner_id].append(each)
    result = {partner.id: Standing(partner, tiers, found[partner.id]) for partner in partners}
    for standing in result.values():
        if not standing.assignments:
            standing.assign(tiers[0], standing.partner.joined_at, TierCause.START)
    return result


def standing(partner: Partner) -> Standing:
    return standings([partner])[partner.id]


def history(partner: Partner) -> list[TierAssignment]:
    """A partner's levels, the present one first."""
    return list(
        db.session.scalars(
            select(TierAssignment)
            .options(joinedload(TierAssignment.tier))
            .where(TierAssignment.partner_id == partner.id)
            .order_by(TierAssignment.starts_at.desc())
        )
    )


def set_tier(partner: Partner, tier: Tier, actor: Any) -> TierAssignment:
    """Give a partner another level from now on, by a manager's decision."""
    before = partner.tier.key if partner.tier else None
    assignment = standing(partner).assign(tier, clock.now(), TierCause.MANUAL, actor)
    audit.record(
        actor, "partner.tier", f"partner:{partner.id}", before={"tier": before}, after={"tier": tier.key}
    )
    return assignment


def begin_year(year: int) -> int:
    """Take everyone back to the lowest level on 1 January; how many were taken back. Safe to repeat."""
    beginning, _end = months.year_bounds(year)
    tiers = ensure_ladder()
    due = (
        select(Partner)
        .join(TierAssignment, TierAssignment.partner_id == Partner.id)
        .where(
            TierAssignment.ends_at.is_(None),
            TierAssignment.starts_at < beginning,
            TierAssignment.tier_id != tiers[0].id,
        )
    )
    partners = list(db.session.scalars(due.with_for_update(of=Partner, key_share=True)))
    for each in standings(partners).values():
        each.reset_for(year)
    return len(partners)
