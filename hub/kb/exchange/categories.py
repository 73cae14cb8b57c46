"""Categories as a file: what is there stays as it is, line for line, and only what the hub changed is written anew."""

from typing import Any

import yaml
from sqlalchemy import select

from ...core.database import db
from ..models import Category
from . import heads


def rows() -> list[dict[str, Any]]:
    """All categories, a parent before what is within it."""
    found = sorted(db.session.scalars(select(Category)), key=lambda each: (each.order, each.key))
    below: dict[int | None, list[Category]] = {}
    for each in found:
        below.setdefault(each.parent_id, []).append(each)
    sorted_rows: list[dict[str, Any]] = []

    def walk(parent: Category | None) -> None:
        for each in below.get(parent.id if parent else None, []):
            row: dict[str, Any] = {"key": each.key, "icon": each.icon, "order": each.order}
            if parent:
                row["parent"] = parent.key
            row["name"] = dict(sorted(each.names.items()))
            if each.descriptions:
                row["description"] = dict(sorted(each.descriptions.items()))
            sorted_rows.append(row)
            walk(each)

    walk(None)
    return sorted_rows


def file(old: bytes | None = None) -> bytes:
    """The categories as a file: `old`, with what differs from it."""
    now = rows()
    before = said(old)
    if old is None or before is None:
        return _dump(now)
    new = _merged(old.decode(), before, now).encode()
    after = said(new)
    return new if after is not None and same(after, now) else _dump(now)


def said(content: bytes | None) -> list[dict[str, Any]] | None:
    """The rows of a file; None when it is none of categories."""
    try:
        found = heads.parse_any(content.decode()) if content is not None else None
    except (UnicodeDecodeError, yaml.YAMLError):
        return None
    is_right = isinstance(found, list) and all(isinstance(row, dict) and "key" in row for row in found)
    return found if is_right else None


def same(some: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    """Do both say the same, whatever their order?"""
    return sorted(map(filled, some), key=str) == sorted(map(filled, others), key=str)


def filled(row: dict[str, Any]) -> dict[str, Any]:
    """A row with what it leaves out."""
    whole = {"icon": "book-2", "order": 100, "parent": "", "description": {}} | row
    return {
        key: dict(sorted(value.items())) if isinstance(value, dict) else value
        for key, value in sorted(whole.items())
    }


def _merged(old: str, before: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    start, blocks, end = _cut(old)
    if len(blocks) != len(before):
        return ""  # written in another way than item by item
    wanted = {row["key"]: row for row in now}
    kept = []
    for (lead, lines), row in zip(blocks, before, strict=True):
        new = wanted.pop(row["key"], None)
        if new is not None:
            kept.append(lead + (lines if filled(new) == filled(row) else _dump([_like(row, new)]).decode()))
    gap = "\n" if any(lead.startswith("\n") for lead, _lines in blocks) else ""
    fresh = [gap + _dump([row]).decode() for row in wanted.values()]
    if kept and fresh and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return start + "".join(kept + fresh) + end


def _cut(text: str) -> tuple[str, list[tuple[str, str]], str]:
    """What precedes the first item, (the blank lines and comments before it, its lines) of each, and the rest."""
    start, between = "", ""
    blocks: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("-") and not line.startswith("---"):
            if blocks:
                blocks.append((between, line))
            else:
                start, blocks = between, [("", line)]
            between = ""
        elif not blocks or not line.strip() or line.startswith("#"):
            between += line
        else:
            lead, lines = blocks[-1]
            blocks[-1], between = (lead, lines + between + line), ""
    return start, blocks, between


def _like(old: Any, new: Any) -> Any:
    """`new` with its keys in the order in which `old` has them."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    keys = [key for key in old if key in new] + [key for key in new if key not in old]
    return {key: _like(old.get(key), new[key]) for key in keys}


def _dump(some: list[dict[str, Any]]) -> bytes:
    return yaml.safe_dump(some, allow_unicode=True, sort_keys=False, width=10_000).encode()
