"""Versions of the commission plan: which rate a level had at a moment."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from ..core import audit, clock
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _l
from ..partners.levels import ensure_ladder
from ..partners.models import Tier
from .models import CommissionPlan

#: The first version of a level's plan counts from the beginning of all.
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class PlanInThePast(HubError):
    message = _l("A new rate begins now or later: what has been counted stays as it was.")


class Plans:
    """All versions in memory, to count many sales."""

    def __init__(self, versions: list[CommissionPlan]) -> None:
        self._by_tier: dict[int, list[CommissionPlan]] = {}
        for version in sorted(versions, key=lambda each: each.effective_from):
            self._by_tier.setdefault(version.tier_id, []).append(version)

    def at(self, tier: Tier, moment: datetime) -> CommissionPlan:
        """The version of a level's plan that is in force at a moment."""
        versions = self._by_tier[tier.id]
        return next((each for each in reversed(versions) if each.effective_from <= moment), versions[0])


def load() -> Plans:
    """All versions; a level without any gets its first from the level's own rate."""
    versions = list(db.session.scalars(select(CommissionPlan)))
    known = {each.tier_id for each in versions}
    first = [
        CommissionPlan(tier_id=tier.id, rate_bp=tier.rate_bp, effective_from=BEGINNING)
        for tier in ensure_ladder()
        if tier.id not in known
    ]
    db.session.add_all(first)
    db.session.flush()
    return Plans(versions + first)


def set_rate(tier: Tier, rate_bp: int, effective_from: datetime, actor: Any) -> CommissionPlan:
    """Add a version with another rate. Raises PlanInThePast."""
    if effective_from < clock.now():
        raise PlanInThePast
    version = CommissionPlan(tier_id=tier.id, rate_bp=rate_bp, effective_from=effective_from)
    db.session.add(version)
    after = {"rate_bp": rate_bp, "from": effective_from.isoformat()}
    audit.record(actor, "plan.added", f"tier:{tier.id}", before={"rate_bp": tier.rate_bp}, after=after)
    db.session.flush()
    return version
