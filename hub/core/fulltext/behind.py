"""What has changed and has not been written yet: the index still holds it as it was.

Whether a reader may find it is asked of the rows themselves, so that what is hidden is hidden at once.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, Select, literal, select, union_all

from ..access import visible
from ..database import db
from .changes import notes
from .registry import Source, sources


def hidden_from(user: Any, kinds: Collection[str] = ()) -> frozenset[str]:
    """Keys of documents that the index may still give to `user` although the rows no longer do.

    With `kinds`, whatever has changed of other kinds is among them unasked: it is no answer anyway.
    """
    known = sources()
    changed: dict[str, set[int]] = {}
    for number, kind in db.session.execute(_all_changed(tuple(known.values()))):
        changed.setdefault(kind, set()).add(number)
    return frozenset(
        f"{kind}:{number}"
        for kind, numbers in changed.items()
        if kind in known
        for number in numbers - (set() if kinds and kind not in kinds else _still_visible(known[kind], user))
    )


@lru_cache(maxsize=2)
def _all_changed(some: tuple[Source, ...]) -> CompoundSelect[Any]:
    """Built once: every search runs it, and it nearly always answers nothing."""
    own = [_changed(source).add_columns(literal(source.kind)) for source in some if _says_itself(source)]
    return union_all(*own, select(notes.c.id, notes.c.kind))


def _says_itself(source: Source) -> bool:
    return source.rows is not None and source.is_behind is not None


def _changed(source: Source) -> Select[Any]:
    if source.rows is None or source.is_behind is None:
        return select(notes.c.id).where(notes.c.kind == source.kind)
    return select(source.rows.selected_columns[0]).where(source.is_behind)


def _still_visible(source: Source, user: Any) -> set[int]:
    if source.rows is None:
        return set()
    number = source.rows.selected_columns[0]
    return set(
        db.session.scalars(visible(source.rows.where(number.in_(_changed(source).correlate(None))), user))
    )
