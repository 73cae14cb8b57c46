"""Groups of partners that something may be meant for: `tier:gold`, `tag:video`."""

import hashlib
import json
from typing import Any

from sqlalchemy import Text, and_, cast, func, literal, or_, select

from ..core.access import Permission, can
from ..core.database import db
from .models import Membership, Partner, PartnerStatus, Tier

TIER, TAG = "tier:", "tag:"


def tokens_of(user: Any) -> frozenset[str]:
    """The groups that the active partners of a person belong to; nobody's and the team's are none."""
    if not can(user, Permission.PARTNERS_OWN):
        return frozenset()
    rows = db.session.execute(
        select(Tier.key, Partner.tags)
        .select_from(Partner)
        .join(Membership, Membership.partner_id == Partner.id)
        .outerjoin(Tier, Tier.id == Partner.tier_id)
        .where(Membership.user_id == user.id, Partner.status == PartnerStatus.ACTIVE)
    )
    found: set[str] = set()
    for tier, tags in rows:
        found |= {TAG + tag for tag in tags}
        found |= {TIER + tier} if tier else set()
    return frozenset(found)


def needle(token: str) -> str:
    """How a tag stands in a partner's list of tags as the database keeps it; nothing for a level."""
    return json.dumps(token.removeprefix(TAG)) if token.startswith(TAG) else ""


def has_group(token: Any, tag: Any) -> Any:
    """The condition on Partner that it belongs to the group of these columns.

    A list in a JSON column is searched as text, the same way on every database: taking the tag out changes it.
    """
    tags = cast(Partner.tags, Text)
    level = select(literal(TIER) + Tier.key).where(Tier.id == Partner.tier_id).scalar_subquery()
    return or_(token == level, and_(tag != "", func.replace(tags, tag, "") != tags))


def tokens(tiers: list[str], tags: list[str]) -> list[str]:
    """Keys of levels and tags as they are kept."""
    return [TIER + key for key in tiers] + [TAG + tag.strip().lower() for tag in tags if tag.strip()]


def split(kept: list[str]) -> tuple[list[str], list[str]]:
    """(keys of levels, tags) of what is kept."""
    return (
        [each.removeprefix(TIER) for each in kept if each.startswith(TIER)],
        [each.removeprefix(TAG) for each in kept if each.startswith(TAG)],
    )


def index_token(token: str) -> str:
    """A group as the search index knows it: short, and one word whatever the tag."""
    return "group:" + hashlib.sha256(token.encode()).hexdigest()[:16]


def index_tokens(user: Any) -> set[str]:
    """What a person's groups let them find."""
    return {index_token(token) for token in tokens_of(user)}
