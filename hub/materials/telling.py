"""Partners hear of materials that have come, and of those they use that are about to end."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select, union, update

from ..accounts.models import User
from ..core import clock, i18n
from ..core.database import db, touched, transaction
from ..core.i18n import _l
from ..core.links import path
from ..notifications import kinds
from ..notifications.models import Notification
from ..notifications.service import notify
from ..partners.models import Membership, Partner, PartnerStatus
from .gallery import NEW_DAYS
from .models import (
    Asset,
    AssetVersion,
    Click,
    Download,
    Favourite,
    Placement,
    Visibility,
    for_partners,
    usable_now,
)

ONE, SEVERAL, ENDING = "material.new", "material.new_several", "material.ending"
kinds.register(ONE, _l("New in Materials: “%(title)s”"), icon="photo")
kinds.register(SEVERAL, _l("New in Materials: “%(title)s” and %(more)s more"), icon="photo")
kinds.register(
    ENDING,
    _l(
        "“%(title)s” may be used until %(day)s: afterwards its codes show what takes its place, or an empty picture"
    ),
    icon="calendar-time",
    present=lambda params: params | {"day": i18n.format_date(date.fromisoformat(params["day"]))},
)

#: How long before its end the users of a material are told.
AHEAD = timedelta(days=7)
#: Who had clicks through it in this time is using it.
IN_USE = timedelta(days=60)
BATCH = 500


def tell_of_new() -> int:
    """Tell partners what has come since they were told last, each in one line; how many people.

    A transaction for some hundred people at a time. Killed in between, the next run leaves out who knows:
    the line leads to an address that names the newest of what it is about.
    """
    fresh = select(Asset.id).where(
        usable_now(),
        Asset.visibility != Visibility.STAFF,
        Asset.new_told_at.is_(None),
        Asset.released_at >= clock.now() - timedelta(days=NEW_DAYS),
    )
    ids = list(db.session.scalars(fresh))
    if not ids:
        return 0
    url, told = f"{path('materials.index', new=1)}#to-{max(ids)}", 0
    for users in _members():
        seen = _seen(users, ids)
        with transaction():
            told += _tell(users, seen, url)
    with transaction() as session:
        session.execute(_quietly(update(Asset).where(Asset.id.in_(ids)), new_told_at=clock.now()))
    return told


def _members() -> Iterator[list[int]]:
    """Ids of the people of active partners, some hundred at a time."""
    last = 0
    while True:
        statement = (
            select(Membership.user_id)
            .join(Partner, Partner.id == Membership.partner_id)
            .where(Partner.status == PartnerStatus.ACTIVE, Membership.user_id > last)
            .distinct()
            .order_by(Membership.user_id)
            .limit(BATCH)
        )
        users = list(db.session.scalars(statement))
        if not users:
            return
        yield users
        last = users[-1]


def _seen(users: list[int], ids: list[int]) -> dict[int, tuple[str, int]]:
    """Of those of these assets that each may see and that speak their language, the newest's title, and how many.

    The database counts: ten thousand materials of five hundred people are not brought here.
    """
    counted = (
        select(
            Membership.user_id,
            func.max(Asset.id).label("newest"),
            func.count(Asset.id.distinct()).label("all"),
        )
        .join(User, User.id == Membership.user_id)
        .join(Asset, Asset.locale.is_(None) | (Asset.locale == User.locale))
        .where(
            Membership.user_id.in_(users),
            Asset.id.in_(ids),
            for_partners(Partner.id == Membership.partner_id),
        )
        .group_by(Membership.user_id)
        .subquery()
    )
    rows = select(counted.c.user_id, Asset.title, counted.c.all).join(Asset, Asset.id == counted.c.newest)
    return {user_id: (title, count) for user_id, title, count in db.session.execute(rows)}


def _tell(users: list[int], seen: dict[int, tuple[str, int]], url: str) -> int:
    know = select(Notification.user_id).where(
        Notification.user_id.in_(users), Notification.kind.in_([ONE, SEVERAL]), Notification.url == url
    )
    known = set(db.session.scalars(know))
    told = 0
    for user in db.session.scalars(select(User).where(User.id.in_(set(seen) - known))):
        title, count = seen[user.id]
        params = {"title": title, "more": count - 1}
        # By mail new materials come with the newsletters that one has chosen.
        told += notify([user], SEVERAL if count > 1 else ONE, params, url, by_mail=False)
    return told


def tell_of_ending() -> int:
    """Tell who uses a material that it ends within a week; how many people. A transaction for each material."""
    soon = select(Asset.id).where(
        usable_now(), Asset.ending_told_at.is_(None), Asset.valid_until <= clock.now() + AHEAD
    )
    told = 0
    for id in list(db.session.scalars(soon)):
        with transaction() as session:
            claim = update(Asset).where(Asset.id == id, Asset.ending_told_at.is_(None))
            if not touched(_quietly(claim, ending_told_at=clock.now())):
                continue
            asset = session.get_one(Asset, id)
            params = {"title": asset.title, "day": (asset.last_day or clock.now().date()).isoformat()}
            users = session.scalars(select(User).where(User.id.in_(_users_of(asset))))
            told += notify(users, ENDING, params, path("materials.show", id=id))
    return told


def _users_of(asset: Asset) -> Any:
    """Who took it, likes it, or has had views of it or visits through it lately; as far as they may still see it."""
    took = (
        select(Download.user_id)
        .join(AssetVersion, AssetVersion.id == Download.version_id)
        .where(AssetVersion.asset_id == asset.id)
    )
    like = select(Favourite.user_id).where(Favourite.asset_id == asset.id)
    clicked = (
        select(Membership.user_id)
        .join(Click, Click.partner_id == Membership.partner_id)
        .where(Click.asset_id == asset.id, Click.at > clock.now() - IN_USE)
    )
    shown = (
        select(Membership.user_id)
        .join(Placement, Placement.partner_id == Membership.partner_id)
        .where(Placement.asset_id == asset.id, Placement.last_at > clock.now() - IN_USE)
    )
    using = union(took, like, clicked, shown).subquery()
    return (
        select(Membership.user_id)
        .join(Asset, Asset.id == asset.id)
        .where(
            Membership.user_id.in_(select(using.c.user_id)),
            for_partners(Partner.id == Membership.partner_id),
        )
    )


def _quietly(statement: Any, **values: Any) -> Any:
    """What is noted about the telling changes nothing that search or the gallery shows."""
    unchanged = values | {"updated_at": Asset.updated_at}
    return statement.values(unchanged).execution_options(synchronize_session=False)
