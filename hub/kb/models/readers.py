"""Groups of partners that an article may be meant for: `tier:gold`, `tag:video`."""

import hashlib
from typing import Any

from flask import g, has_request_context
from sqlalchemy import select

from ...core.access import Permission, can
from ...core.database import db
from ...partners.models import Membership, Partner, PartnerStatus, Tier

TIER, TAG = "tier:", "tag:"


def tokens_of(user: Any) -> frozenset[str]:
    """The groups that the active partners of a person belong to; nobody's and the team's are none."""
    if not can(user, Permission.PARTNERS_OWN):
        return frozenset()
    if not has_request_context():
        return _read(user.id)
    # Asked for lists, search and suggestions alike, several times on one page.
    kept: dict[int, frozenset[str]] = g.setdefault("kb_readers", {})
    if user.id not in kept:
        kept[user.id] = _read(user.id)
    return kept[user.id]


def _read(user_id: int) -> frozenset[str]:
    rows = db.session.execute(
        select(Tier.key, Partner.tags)
        .select_from(Partner)
        .join(Membership, Membership.partner_id == Partner.id)
        .outerjoin(Tier, Tier.id == Partner.tier_id)
        .where(Membership.user_id == user_id, Partner.status == PartnerStatus.ACTIVE)
    )
    found: set[str] = set()
    for tier, tags in rows:
        found |= {TAG + tag for tag in tags}
        found |= {TIER + tier} if tier else set()
    return frozenset(found)


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
    return "article:" + hashlib.sha256(token.encode()).hexdigest()[:16]


def index_tokens(user: Any) -> set[str]:
    """What a person's groups let them find."""
    return {index_token(token) for token in tokens_of(user)}
