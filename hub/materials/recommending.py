"""What is recommended to a partner: in their language, in the sizes they use, and not used by them yet."""

from typing import Any

from sqlalchemy import and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from ..core.access import Permission, can
from ..partners.models import Partner, own_partner_ids
from .models import Asset, AssetUse

#: So many of the sizes that a partner uses most.
SIZES = 3


def fits(user: Any) -> Any:
    """Condition: recommended to this person, without a statement of its own; to the team, who place nothing, nothing is."""
    if not can(user, Permission.PARTNERS_OWN):
        return false()
    own = own_partner_ids(user)
    used = exists().where(AssetUse.asset_id == Asset.id, AssetUse.partner_id.in_(own))
    locales = select(Partner.locale).where(Partner.id.in_(own))
    sizes = _sizes(own)
    return and_(
        ~used,
        or_(Asset.locale.is_(None), Asset.locale == user.locale, Asset.locale.in_(locales)),
        # What has no size fits everywhere; whoever has used nothing yet has no sizes either.
        or_(Asset.width.is_(None), _size(Asset).in_(sizes), ~exists(sizes.subquery().select())),
    )


def _sizes(own: Any) -> Any:
    taken = aliased(Asset)
    return (
        select(_size(taken))
        .join(AssetUse, AssetUse.asset_id == taken.id)
        .where(AssetUse.partner_id.in_(own), taken.width.is_not(None))
        .group_by(taken.width, taken.height)
        .order_by(func.sum(AssetUse.downloads + AssetUse.visits).desc(), taken.width, taken.height)
        .limit(SIZES)
    )


def _size(asset: Any) -> Any:
    """Width and height as one number."""
    return asset.width * 100_000 + asset.height
