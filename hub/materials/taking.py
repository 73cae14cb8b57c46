"""Taking materials along: downloads counted once, favourites, and kits that become one ZIP."""

import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload
from zipstream import ZipStream

from ..core import clock, months, storage
from ..core.access import Permission, Role, Somebody, can, visible
from ..core.database import db, touched
from ..core.errors import HubError, Invalid, NotFound
from ..core.i18n import _, _l
from ..core.uploads import safe_name
from ..partners.service import partner_of
from . import embedding, requesting, using
from .embedding import Viewer
from .models import Asset, AssetVersion, Download, Favourite, Kit, KitItem
from .using import Day

MOST_IN_KIT, MOST_KITS, NAME_LENGTH = 200, 50, 80


class KitFull(HubError):
    message = _l("A kit holds up to %(count)s materials. Start another one.", count=MOST_IN_KIT)


class TooManyKits(HubError):
    message = _l("You have %(count)s kits already. Delete one first.", count=MOST_KITS)


# --- Downloads -------------------------------------------------------------


def wanted(asset: Asset, number: int | None, user: Any) -> AssetVersion:
    """The version with this number: the team sees old ones, others the current one only. Raises NotFound."""
    if number is None or number == asset.current.number:
        return asset.current
    older = select(AssetVersion).where(AssetVersion.asset_id == asset.id, AssetVersion.number == number)
    found = db.session.scalar(older) if can(user, Permission.MATERIALS_MANAGE) else None
    if found is None:
        raise NotFound
    return found


def is_counted(version: AssetVersion, user: Any) -> bool:
    """Has this person's download of this version been counted?"""
    return bool(db.session.scalar(_COUNTED, {"version": version.id, "user": user.id}))


#: Asked at every download: built once.
_COUNTED = select(
    exists().where(Download.version_id == bindparam("version"), Download.user_id == bindparam("user"))
)


@functools.cache
def _ready(role: Role) -> Any:
    """What a usual download needs to know, asked for often: built once for each role."""
    reader = Somebody(role)
    counted = exists().where(Download.version_id == AssetVersion.id, Download.user_id == Somebody.id)
    return (
        visible(select(Asset), reader)
        .join(AssetVersion, and_(AssetVersion.asset_id == Asset.id, AssetVersion.is_current))
        .where(
            Asset.id == bindparam("id"),
            AssetVersion.key.is_not(None),
            Asset.needs_approval.is_(False),
            counted,
        )
        .with_only_columns(AssetVersion.key, AssetVersion.filename, AssetVersion.mime)
    )


def ready(connection: Connection, asset_id: int, user: Any) -> Any:
    """Key, name and type of a file that `user` may have and that is counted already; None when more is to be done.

    Most downloads are the second of somebody: of a part, of the rest after a break, by a program every night.
    """
    return connection.execute(_ready(user.role), {"id": asset_id, "reader": user.id}).first()


def record_downloads(versions: list[tuple[int, int]], user: Any) -> int:
    """Count downloads of (version id, asset id), each version once per person; how many counted."""
    ids = [version for version, _asset in versions]
    known = select(Download.version_id).where(Download.version_id.in_(ids), Download.user_id == user.id)
    taken = set(db.session.scalars(known))
    fresh = [each for each in versions if each[0] not in taken]
    partner = partner_of(user) if fresh else None
    partner_id = partner.id if partner else None
    if _record(fresh, user.id, partner_id):
        return len(fresh)
    # Another request counted some of them in this very moment: one by one.
    return sum(_record([each], user.id, partner_id) for each in fresh)


def _record(versions: list[tuple[int, int]], user_id: int, partner_id: int | None) -> bool:
    """Count these downloads in two statements, or none of them if one was counted already."""
    if not versions:
        return True
    rows = [{"version_id": id, "user_id": user_id, "partner_id": partner_id} for id, _asset in versions]
    try:
        with db.session.begin_nested():
            db.session.execute(insert(Download), rows)
    except IntegrityError:
        return False
    db.session.execute(
        update(Asset)
        .where(Asset.id.in_([asset for _version, asset in versions]))
        .values(uses=Asset.uses + 1, updated_at=Asset.updated_at)
        .execution_options(synchronize_session=False)
    )
    today = months.day_of(clock.now())
    using.add("downloads", Counter(Day(asset, partner_id, today) for _version, asset in versions))
    return True


# --- Favourites ------------------------------------------------------------


def is_favourite(asset: Asset, user: Any) -> bool:
    return bool(
        db.session.scalar(
            select(exists().where(Favourite.asset_id == asset.id, Favourite.user_id == user.id))
        )
    )


def favour(asset: Asset, user: Any) -> None:
    """Keep a material among one's favourites."""
    if not is_favourite(asset, user):
        db.session.add(Favourite(asset_id=asset.id, user_id=user.id))
        db.session.flush()


def forget(asset: Asset, user: Any) -> None:
    """Take a material out of one's favourites."""
    db.session.execute(delete(Favourite).where(Favourite.asset_id == asset.id, Favourite.user_id == user.id))


# --- Kits ------------------------------------------------------------------


def own_kits(user: Any) -> list[Kit]:
    """One's own kits, the last used first."""
    return list(
        db.session.scalars(select(Kit).where(Kit.user_id == user.id).order_by(Kit.changed_at.desc(), Kit.id))
    )


def make_kit(user: Any, name: str) -> Kit:
    """Start a kit. Raises TooManyKits."""
    if len(own_kits(user)) >= MOST_KITS:
        raise TooManyKits
    kit = Kit(user_id=user.id, name=_named(name))
    db.session.add(kit)
    db.session.flush()
    return kit


def rename_kit(kit: Kit, name: str, *, is_shared: bool) -> None:
    """Give a kit another name, and share it with partners or not."""
    kit.name, kit.is_shared = _named(name), is_shared


def _named(name: str) -> str:
    """A kit's name. Raises Invalid without one."""
    name = " ".join(name.split())[:NAME_LENGTH]
    if not name:
        raise Invalid(_l("Give the kit a name."))
    return name


def delete_kit(kit: Kit) -> None:
    db.session.execute(delete(KitItem).where(KitItem.kit_id == kit.id))
    db.session.delete(kit)


def put(asset: Asset, kit: Kit) -> bool:
    """Add a material to a kit; False when it is in already. Raises KitFull."""
    inside = set(db.session.scalars(select(KitItem.asset_id).where(KitItem.kit_id == kit.id)))
    if asset.id in inside:
        return False
    if len(inside) >= MOST_IN_KIT:
        raise KitFull
    db.session.add(KitItem(kit_id=kit.id, asset_id=asset.id))
    kit.changed_at = clock.now()
    db.session.flush()
    return True


def take_out(asset_id: int, kit: Kit) -> bool:
    """Remove a material from a kit; False when it was not in it."""
    kit.changed_at = clock.now()
    return bool(touched(delete(KitItem).where(KitItem.kit_id == kit.id, KitItem.asset_id == asset_id)))


def contents(kit: Kit, user: Any, *, usable: bool = False) -> list[Asset]:
    """What of a kit this person may see now, or use at once, in the order it was put in."""
    seen = visible(select(Asset), user)
    statement = (requesting.usable(seen, user) if usable else seen).join(
        KitItem, KitItem.asset_id == Asset.id
    )
    loaded = statement.where(KitItem.kit_id == kit.id).options(joinedload(Asset.current))
    return list(db.session.scalars(loaded.order_by(KitItem.id)).unique())


# --- One ZIP ---------------------------------------------------------------


def archive(assets: list[Asset], who: Viewer, own: dict[int, Path] | None = None) -> ZipStream:
    """A ZIP of the current versions, made while it is read, whatever its size.

    `own` has the templates among them filled in, by the asset's id.
    Texts have the link filled in; `codes.txt` has the codes of the pictures. Pictures and videos are
    compressed already, so nothing is compressed again and the size is known beforehand. Names are in
    UTF-8 and marked so, which Windows' own unpacker reads.
    """
    stream = ZipStream(sized=True)
    taken: set[str] = set()
    codes = []
    for asset in assets:
        version = asset.current
        name = _unused(_file_name(asset), taken)
        if own and asset.id in own:
            stream.add(_of_path(own[asset.id]), name, size=own[asset.id].stat().st_size)
        elif version.key:
            stream.add(_content(version.key), name, size=version.size)
        else:
            stream.add(embedding.fill_in(version.text or "", who, asset).encode(), name)
        rights = f"{_('Rights: %(text)s', text=asset.rights)}\n" if asset.rights else ""
        codes.append(f"{asset.title}\n{name}\n{rights}\n{embedding.codes(asset, who.code)[0].text}\n")
    if who.coupon:
        codes.insert(0, f"{_('Promo code')}: {who.coupon}\n")
    stream.add("\n\n".join(codes).encode(), _unused(_("codes.txt"), taken))
    return stream


def _file_name(asset: Asset) -> str:
    ending = asset.current.filename.rpartition(".")[2]
    size = f" {asset.width}x{asset.height}" if asset.width else ""
    return safe_name(f"{asset.title.replace('.', ' ').replace('/', ' ')}{size}.{ending}")


def _unused(name: str, taken: set[str]) -> str:
    """The name, or with a number the first that is not taken; Windows knows no difference of case."""
    stem, dot, ending = name.rpartition(".")
    found, number = name, 2
    while found.casefold() in taken:
        found, number = f"{stem} ({number}){dot}{ending}", number + 1
    taken.add(found.casefold())
    return found


def _content(key: str) -> Iterator[bytes]:
    """A file piece by piece, opened when its turn comes."""
    with storage.open(key) as file:
        yield from _pieces(file)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(storage.CHUNK):
        yield chunk


def _of_path(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _pieces(file)
