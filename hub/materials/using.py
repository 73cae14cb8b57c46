"""Sums of use: what is seen, downloaded and followed is added to the day's row and to the site's."""

from collections import Counter
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, or_, select, update

from ..core import clock
from ..core.database import db, insert_of_dialect
from ..partners import groups
from ..partners.models import Partner
from .models import Asset, AssetReader, AssetUse, Placement, Status, Visibility

#: Sites kept of one material and partner: who invents referrers fills no database.
MOST_SITES = 100
_CHUNK = 200
_SILENT = {"synchronize_session": False}


class Day(NamedTuple):
    asset_id: int
    partner_id: int | None
    day: date


class Site(NamedTuple):
    asset_id: int
    partner_id: int | None
    site: str


def may_count(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these materials and partners, those of which the partner may know that the material is there.

    Whoever puts another level's material into an address of their own must not read its title in their statistics.
    What is over or archived still counts: its codes stand on sites.
    """
    shown = or_(Asset.valid_from.is_(None), Asset.valid_from <= clock.now()), Asset.status != Status.DRAFT
    ids = select(Asset.id).where(Asset.id.in_({asset for asset, _partner in pairs}), *shown)
    for_all = set(db.session.scalars(ids.where(Asset.visibility == Visibility.ALL)))
    chosen = (
        select(AssetReader.asset_id, Partner.id)
        .join(Partner, groups.has_group(AssetReader.token, AssetReader.needle))
        .where(
            AssetReader.asset_id.in_(ids.where(Asset.visibility == Visibility.CHOSEN)),
            Partner.id.in_({partner for _asset, partner in pairs}),
        )
    )
    allowed = {tuple(row) for row in db.session.execute(chosen)} if pairs else set()
    return {pair for pair in pairs if pair[0] in for_all or pair in allowed}


def add(column: str, counts: Counter[Day]) -> None:
    """Add to the days' `views`, `downloads` or `visits`."""
    known = _known(AssetUse, AssetUse.day, counts)
    _increase(AssetUse, column, [(known[key], count) for key, count in counts.items() if key in known])
    fresh = [
        key._asdict() | {"views": 0, "downloads": 0, "visits": 0, column: count}
        for key, count in counts.items()
        if key not in known
    ]
    _insert(AssetUse, AssetUse.day, column, fresh)


def place(column: str, counts: Counter[Site]) -> None:
    """Add to the sites' `views` or `visits`, and note that they were seen now."""
    known, now = _known(Placement, Placement.site, counts), clock.now()
    _increase(
        Placement, column, [(known[key], count) for key, count in counts.items() if key in known], last_at=now
    )
    fresh = [
        key._asdict() | {"views": 0, "visits": 0, "first_at": now, "last_at": now, column: count}
        for key, count in counts.most_common()
        if key not in known
    ]
    _insert(Placement, Placement.site, column, fresh)
    _forget_least({row["asset_id"] for row in fresh}, {row["partner_id"] for row in fresh})


def _insert(model: Any, last: Any, column: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows; what somebody else has inserted in this very moment is added to."""
    if rows:
        statement = insert_of_dialect(model)
        more = {column: getattr(model, column) + statement.excluded[column]}
        keys = [model.asset_id, model.partner_id, last]
        db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=more), rows)


def _known(model: Any, last: Any, counts: Counter[Any]) -> dict[Any, int]:
    """Ids of the rows that are there already, by their keys."""
    found: dict[Any, int] = {}
    kind: Any = Day if model is AssetUse else Site
    keys = list(counts)
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        rows = db.session.execute(
            select(model.id, model.asset_id, model.partner_id, last).where(
                model.asset_id.in_({key.asset_id for key in part}), last.in_({key[2] for key in part})
            )
        )
        found |= {kind(*row[1:]): row[0] for row in rows}
    return found


def _increase(model: Any, column: str, more: list[tuple[int, int]], **values: datetime) -> None:
    if more:
        statement = (
            update(model.__table__)
            .where(model.__table__.c.id == bindparam("row"))
            .values({column: model.__table__.c[column] + bindparam("more"), **values})
        )
        # In one order for all, so that no two writers wait for each other.
        rows = [{"row": row, "more": count} for row, count in sorted(more)]
        db.session.connection().execute(statement, rows)


def _forget_least(assets: set[int], partners: set[int | None]) -> None:
    """Of each partner's sites of these materials keep those most used: invented ones push no real one out."""
    place = func.row_number().over(
        partition_by=[Placement.asset_id, Placement.partner_id],
        order_by=[(Placement.views + Placement.visits).desc(), Placement.last_at.desc(), Placement.id.desc()],
    )
    theirs = or_(Placement.partner_id.in_(partners - {None}), Placement.partner_id.is_(None))
    ranked = (
        select(Placement.id, place.label("place")).where(Placement.asset_id.in_(assets), theirs).subquery()
    )
    if assets:
        least = select(ranked.c.id).where(ranked.c.place > MOST_SITES)
        db.session.execute(delete(Placement).where(Placement.id.in_(least)), execution_options=_SILENT)
