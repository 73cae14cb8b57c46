"""Pages by key: as fast on the last page of 100,000 rows as on the first."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from .database import db

SIZE = 25


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and the cursors of its neighbours (None at an end)."""

    items: list[Any]
    newer: str | None  # cursor of the previous page
    older: str | None  # cursor of the next page

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def page(
    statement: Select[Any],
    cursor: str | None,
    *keys: InstrumentedAttribute[Any],
    descending: bool = True,
    size: int = SIZE,
) -> Page:
    """One page of `statement`, ordered by non-null `keys`, of which the last is unique.

    `cursor` comes from a former page's `newer` or `older`; a broken one means
    the first page. All keys run in the same direction. Rows are whole entities,
    or several columns with the keys among them.
    """
    backwards, after = _decode(cursor, keys)
    down = descending != backwards
    if after is not None:
        statement = statement.where(_beyond(keys, after, down))
    statement = statement.order_by(None).order_by(*(key.desc() if down else key.asc() for key in keys))
    found = db.session.execute(statement.limit(size + 1))
    rows = list(found if len(statement.column_descriptions) > 1 else found.scalars().unique())
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    before = (more if backwards else after is not None) and bool(rows)
    beyond = (True if backwards else more) and bool(rows)
    return Page(
        rows,
        newer=_encode("-", rows[0], keys) if before else None,
        older=_encode("+", rows[-1], keys) if beyond else None,
    )


def _beyond(keys: Sequence[InstrumentedAttribute[Any]], values: list[Any], down: bool) -> Any:
    steps = []
    for i, key in enumerate(keys):
        same = [k == v for k, v in zip(keys[:i], values[:i], strict=True)]
        steps.append(and_(*same, key < values[i] if down else key > values[i]))
    return or_(*steps)


def _encode(direction: str, row: Any, keys: Sequence[InstrumentedAttribute[Any]]) -> str:
    values = [getattr(row, key.key) for key in keys]
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return base64.urlsafe_b64encode((direction + json.dumps(plain)).encode()).decode().rstrip("=")


def _decode(cursor: str | None, keys: Sequence[InstrumentedAttribute[Any]]) -> tuple[bool, list[Any] | None]:
    if not cursor or len(cursor) > 500:
        return False, None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        values = json.loads(text[1:])
        typed = [_typed(key, value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, TypeError, OverflowError):
        return False, None
    return text[0] == "-", typed


def _typed(key: InstrumentedAttribute[Any], value: Any) -> Any:
    """A value of a cursor as the database takes it; raises for what no page of ours has written there."""
    kind = key.type.python_type
    if kind is datetime:
        return _moment(value)
    if type(value) is not kind:
        raise TypeError(key.key)
    if kind is str and "\x00" in value.encode().decode():  # a lone surrogate fails to encode
        raise ValueError(key.key)
    if kind is int and not -(2**63) <= value < 2**63:
        raise OverflowError(key.key)
    return value


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)
