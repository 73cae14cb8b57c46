"""Starter content: `content/kb/<lang>/<id>.md`, and `categories.yaml` beside them.

What a file's head says stands in `exchange/heads.py`. Every file is checked before any is imported. A file
that changed becomes a revision; when the article was also edited in the hub since the last sync, that is a
conflict and the hub's text stays. So it is with what other rooms keep beside `kb`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import bindparam, update

from ..core.database import db
from ..core.errors import HubError
from .exchange import categories, checking, reading, writing
from .exchange.reading import CATEGORIES, Entry, Problem
from .exchange.sides import Known, Verdict, judge
from .exchange.sources import Folder
from .exchange.storing import Report, Store, batches
from .exchange.writing import Written
from .models import Translation


class Sync(Protocol):
    def __call__(self, folder: Path, *, force: bool = False) -> Report: ...


@dataclass(frozen=True)
class Part:
    """What another room keeps in the same folder: how `name` in it comes in and goes out."""

    name: str
    sync: Sync
    export: Callable[[Path], list[Path]]


_parts: list[Part] = []


def also(name: str, sync: Sync, export: Callable[[Path], list[Path]]) -> None:
    """Register a higher room's part of the folder."""
    _parts.append(Part(name, sync, export))


def parts() -> list[Part]:
    return list(_parts)


class Unreadable(HubError):
    """Files are wrong; nothing was imported."""

    def __init__(self, mistakes: list[Problem]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def sync(folder: Path, *, force: bool = False) -> Report:
    """Import a folder. With `force` files win over newer edits in the hub. Raises Unreadable."""
    bundle = reading.read_files(Folder(folder), strict=True, prefix=f"{folder}/")
    entries = checking.check(bundle, loosely=True)
    if any(each.leaves_out for each in bundle.problems):
        raise Unreadable([each for each in bundle.problems if each.leaves_out])
    store, report = Store(bundle, force=force, why=_why), Report()
    _sync_categories(store, folder / CATEGORIES, report)
    for batch in batches(entries):
        ready, skipped = store.prepare(batch)
        report.add(skipped)
        report.add(store.put(ready))
    report.problems += bundle.problems  # what kept nothing from going in: links that lead nowhere
    return report


def export(folder: Path) -> list[Path]:
    """Write every article to its file; those that have not changed get the same bytes. Returns what was written."""
    files: list[dict[str, Any]] = []

    def remember(written: Written) -> None:
        sha256 = hashlib.sha256(written.content).hexdigest()
        files.append(
            {
                "of": written.translation_id,
                "synced_revision": written.revision,
                "synced_sha256": sha256,
                "synced_status": written.head.status,
            }
        )

    known, path = _known(), folder / CATEGORIES
    row = known.rows.get(_NAME)
    paths = writing.to_folder(folder, note=remember, old=row.text.encode() if row else None)
    known.remember(_NAME, CATEGORIES, path.read_bytes().decode())
    if files:  # the next sync knows these files
        table = Translation.__table__
        db.session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("of"))
            .values(
                {name: bindparam(name) for name in ("synced_revision", "synced_sha256", "synced_status")}
            ),
            files,
        )
        db.session.flush()
        db.session.expire_all()
    return paths


#: Of the categories' file among what the hub remembers.
_NAME = f"kb/{CATEGORIES}"


def _known() -> Known:
    return Known(_NAME, lambda _name, _path, text: categories.said(text.encode()))


def _by_key(rows: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {row["key"]: categories.filled(row) for row in rows or []}


def _sync_categories(store: Store, path: Path, report: Report) -> None:
    """Take what the file says of those that were not changed in the hub."""
    known = _known()
    hub, last = _by_key(categories.rows()), _by_key(known.last(_NAME))
    verdicts = {
        key: judge(row, hub.get(key), last.get(key), force=store.force)
        for key, row in _by_key(store.bundle.categories).items()
    }
    store.put_categories(overwrite={key for key, verdict in verdicts.items() if verdict is Verdict.TAKE})
    conflicts = [f"{path} ({key})" for key, verdict in verdicts.items() if verdict is Verdict.CONFLICT]
    report.conflicts += conflicts
    if not conflicts:  # else it is asked again until somebody decides
        known.remember(_NAME, CATEGORIES, path.read_bytes().decode())


def _why(entry: Entry) -> str:
    return f"content/{entry.path}"
