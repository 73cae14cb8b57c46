"""What the gallery shows: filters, how many there are of each, and one page of assets."""

import functools
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

from ..core import clock
from ..core.access import Permission, Role, Somebody, can, visible
from ..core.database import db
from ..core.i18n import LOCALES
from ..core.paging import Page, page
from ..partners import groups
from . import recommending
from .colours import FAMILIES
from .models import Asset, AssetTag, Campaign, Favourite, Genre, Kind, Status

NEW_DAYS = 21
SIZE = 24
SHOWN_TAGS = 12
SHOWN_SIZES = 14
#: Orders of the gallery; each has an index, and what it orders by is kept by the worker.
SORTS = {"newest": Asset.released_at, "used": Asset.uses, "earned": Asset.earned}


@dataclass(frozen=True)
class Filters:
    """What is ticked; an empty facet lets everything through, two ticks in one mean either."""

    kind: frozenset[str] = frozenset()
    size: frozenset[str] = frozenset()  # "300x250"
    lang: frozenset[str] = frozenset()
    campaign: frozenset[str] = frozenset()  # ids
    genre: frozenset[str] = frozenset()
    colour: frozenset[str] = frozenset()
    tag: frozenset[str] = frozenset()
    new: bool = False
    mine: bool = False  # one's favourites
    fits: bool = False  # what is recommended, see `recommending`
    archived: bool = False
    sort: str = "newest"

    @classmethod
    def read(cls, args: MultiDict[str, str]) -> "Filters":
        """From an address; what makes no sense is left out."""
        return cls(
            kind=frozenset(args.getlist("kind")) & {str(kind) for kind in Kind},
            size=frozenset(size for size in args.getlist("size") if _dimensions(size)),
            lang=frozenset(args.getlist("lang")) & frozenset(LOCALES),
            campaign=frozenset(id for id in args.getlist("campaign") if id.isdecimal() and len(id) < 10),
            genre=frozenset(args.getlist("genre")) & frozenset(map(str, Genre)),
            colour=frozenset(args.getlist("colour")) & frozenset(FAMILIES),
            tag=frozenset(filter(None, args.getlist("tag")[:20])),
            new=args.get("new") == "1",
            mine=args.get("mine") == "1",
            archived=args.get("archived") == "1",
            fits=args.get("fits") == "1",
            sort=args["sort"] if args.get("sort") in SORTS else "newest",
        )

    def unsorted(self) -> "Filters":
        """The same choice, whatever its order."""
        return replace(self, sort="newest")

    def __len__(self) -> int:
        """How many things are ticked."""
        return (
            len(self.kind)
            + len(self.size)
            + len(self.lang)
            + len(self.campaign)
            + len(self.genre)
            + len(self.colour)
            + len(self.tag)
            + self.new
            + self.mine
            + self.fits
        )


@dataclass(frozen=True)
class Option:
    """A line of a facet."""

    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass
class Facets:
    """Lines with counts: how many there would be if only this were chosen in its own facet."""

    kind: Counter[str] = field(default_factory=Counter)
    size: Counter[str] = field(default_factory=Counter)
    lang: Counter[str] = field(default_factory=Counter)
    campaign: Counter[str] = field(default_factory=Counter)
    genre: Counter[str] = field(default_factory=Counter)
    colour: Counter[str] = field(default_factory=Counter)
    tag: Counter[str] = field(default_factory=Counter)
    new: int = 0
    found: int = 0
    all: int = 0


def assets(user: Any, filters: Filters, cursor: str | None) -> Page:
    """One page of what `user` may see and has chosen."""
    found = chosen(user, filters).options(joinedload(Asset.current))
    return page(found, cursor, SORTS[filters.sort], Asset.id, size=SIZE)


def chosen(user: Any, filters: Filters) -> Select[Any]:
    """All assets that `user` may see and has chosen."""
    return _base(user, filters).where(*_conditions(filters))


def with_campaign_ids(user: Any, args: MultiDict[str, str]) -> MultiDict[str, str]:
    """A query in which campaigns may be named: each name becomes its id, a name that nobody knows finds nothing."""
    named = [value.strip().casefold() for value in args.getlist("campaign") if not value.isdecimal()]
    if not named:
        return args
    ids = [
        id
        for id, each in campaigns(user).items()
        if {name.casefold() for name in each.names.values()} & {*named}
    ]
    args = args.copy()
    args.setlist(
        "campaign", [*(value for value in args.getlist("campaign") if value.isdecimal()), *(ids or ["0"])]
    )
    return args


def facets(user: Any, filters: Filters) -> Facets:
    """How many there are of each, counted anew when an asset has changed, or after half a minute.

    Whoever may see the same gets the same, so that a library of 10,000 is not counted for every visit.
    """
    if filters.mine:
        return _count_facets(user, filters)
    now, changed = clock.now(), db.session.scalar(select(func.max(Asset.updated_at)))
    key = _audience(user), filters.unsorted(), user.id if filters.fits else None
    counted_at, at_change, found = _counted.get(key, (None, None, None))
    if (
        counted_at is None
        or found is None
        or at_change != changed
        or not counted_at <= now < counted_at + REMEMBERED
    ):
        found = _count_facets(user, filters)
        if len(_counted) >= MOST_REMEMBERED:
            _counted.clear()
        _counted[key] = now, changed, found
    return found


#: Dates of use begin and end without an asset changing.
REMEMBERED, MOST_REMEMBERED = timedelta(seconds=30), 1000
_counted: dict[Any, tuple[Any, Any, Facets]] = {}


def _audience(user: Any) -> Any:
    """People with the same see the same materials."""
    if not can(user, Permission.PARTNERS_OWN):
        return can(user, Permission.MATERIALS_MANAGE)
    return groups.tokens_of(user)


def _count_facets(user: Any, filters: Filters) -> Facets:
    """Count every facet with two statements, whatever the number of assets."""
    found = Facets()
    chosen = {
        name: getattr(filters, name) for name in ("kind", "size", "lang", "campaign", "genre", "colour")
    }
    is_new = case((Asset.released_at >= _new_since(), 1), else_=0)
    columns = (
        Asset.kind,
        Asset.width,
        Asset.height,
        Asset.locale,
        Asset.campaign_id,
        Asset.genre,
        Asset.colour,
        is_new,
    )
    tagged = [_tagged(filters)] if filters.tag else []
    statement = _base(user, filters).with_only_columns(*columns, func.count(), maintain_column_froms=True)
    for kind, width, height, lang, campaign, genre, colour, new, count in db.session.execute(
        statement.where(*tagged).group_by(*columns)
    ):
        values = {
            "kind": str(kind),
            "size": f"{width}x{height}" if width else "",
            "lang": lang or "",
            "campaign": str(campaign or ""),
            "genre": str(genre or ""),
            "colour": colour or "",
        }
        missed = [name for name, wanted in chosen.items() if wanted and values[name] not in wanted]
        fits_new = bool(new) or not filters.new
        found.all += count
        for name, value in values.items():
            if value and fits_new and missed in ([], [name]):
                getattr(found, name)[value] += count
        if not missed:
            found.new += count if new else 0
            found.found += count if fits_new else 0
    found.tag.update(_count_tags(user, filters))
    return found


def campaigns(user: Any) -> dict[str, Campaign]:
    """Campaigns by id as text."""
    found = db.session.scalars(_campaigns_of(user.role), {"reader": user.id})
    return {str(campaign.id): campaign for campaign in found}


@functools.cache
def _campaigns_of(role: Role) -> Any:
    """Asked for at every look at the gallery: built once for each role."""
    return visible(select(Campaign), Somebody(role))


def is_new(asset: Asset) -> bool:
    return asset.status is Status.PUBLISHED and asset.released_at >= _new_since()


def _base(user: Any, filters: Filters) -> Select[Any]:
    statement = visible(select(Asset), user)
    archived = Asset.status == Status.ARCHIVED
    if filters.mine:
        favourites = select(Favourite.asset_id).where(Favourite.user_id == user.id)
        statement = statement.where(Asset.id.in_(favourites))
    if filters.fits:
        statement = statement.where(recommending.fits(user))
    return statement.where(archived if filters.archived else ~archived)


def _new_since() -> Any:
    return clock.now() - timedelta(days=NEW_DAYS)


def _conditions(filters: Filters, *, tags: bool = True) -> list[Any]:
    conditions: list[Any] = []
    if filters.kind:
        conditions.append(Asset.kind.in_([Kind(kind) for kind in filters.kind]))
    if filters.size:
        pairs = [_dimensions(size) for size in filters.size]
        conditions.append(
            or_(*(and_(Asset.width == pair[0], Asset.height == pair[1]) for pair in pairs if pair))
        )
    if filters.lang:
        conditions.append(Asset.locale.in_(filters.lang))
    if filters.campaign:
        conditions.append(Asset.campaign_id.in_([int(id) for id in filters.campaign]))
    if filters.genre:
        conditions.append(Asset.genre.in_([Genre(each) for each in filters.genre]))
    if filters.colour:
        conditions.append(Asset.colour.in_(filters.colour))
    if filters.new:
        conditions.append(Asset.released_at >= _new_since())
    if filters.tag and tags:
        conditions.append(_tagged(filters))
    return conditions


def _tagged(filters: Filters) -> Any:
    return Asset.id.in_(select(AssetTag.asset_id).where(AssetTag.tag.in_(filters.tag)))


def _count_tags(user: Any, filters: Filters) -> dict[str, int]:
    fitting = _base(user, filters).where(*_conditions(filters, tags=False)).with_only_columns(Asset.id)
    statement = (
        select(AssetTag.tag, func.count())
        .where(AssetTag.asset_id.in_(fitting))
        .group_by(AssetTag.tag)
        .order_by(func.count().desc(), AssetTag.tag)
        .limit(SHOWN_TAGS)
    )
    return dict(iter(db.session.execute(statement)))


def _dimensions(size: str) -> tuple[int, int] | None:
    width, _x, height = size.partition("x")
    if width.isdecimal() and height.isdecimal() and len(size) < 12:
        return int(width), int(height)
    return None
