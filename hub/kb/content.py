"""Starter content: `content/kb/<lang>/<id>.md`, and `categories.yaml` beside them.

What a file's head says stands in `exchange/heads.py`. Every file is checked before any is imported. A file
that changed becomes a revision; when the article was also edited in the hub since the last sync, that is a
conflict and the hub's text stays.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, update

from ..core.database import db
from ..core.errors import HubError
from .exchange import checking, reading, writing
from .exchange.reading import Entry, Problem
from .exchange.sources import Folder
from .exchange.storing import Report, Store, batches
from .exchange.writing import Written
from .models import Translation

#: What another room keeps in the same folder: it imports its part and says in a line what it did.
Part = Callable[[Path], str]
_parts: list[Part] = []


def also_sync(part: Part) -> Part:
    """Register a higher room's part of the folder."""
    _parts.append(part)
    return part


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
    store = Store(bundle, force=force, why=_why)
    store.put_categories(overwrite=True)
    report = Report()
    for batch in batches(entries):
        ready, skipped = store.prepare(batch)
        report.add(skipped)
        report.add(store.put(ready))
    return report


def export(folder: Path) -> list[Path]:
    """Write every article to its file; those that have not changed get the same bytes. Returns what was written."""
    known: list[dict[str, Any]] = []

    def remember(written: Written) -> None:
        sha256 = hashlib.sha256(written.content).hexdigest()
        known.append(
            {"of": written.translation_id, "synced_revision": written.revision, "synced_sha256": sha256}
        )

    paths = writing.to_folder(folder, note=remember)
    if known:  # the next sync knows these files
        table = Translation.__table__
        db.session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("of"))
            .values(synced_revision=bindparam("synced_revision"), synced_sha256=bindparam("synced_sha256")),
            known,
        )
        db.session.expire_all()
    return paths


def _why(entry: Entry) -> str:
    return f"content/{entry.path}"
