"""What is both a file of `content/` and rows of the hub: who changed it since both said the same.

Articles keep this with their texts; here are the ways of everything else: categories, courses, ready newsletters.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ...core.database import db
from ...core.errors import HubError
from ..models.exchange import KnownFile
from .storing import Report


class Verdict(StrEnum):
    SAME = "same"
    TAKE = "take"  # what the file says
    KEEP = "keep"  # what the hub says
    CONFLICT = "conflict"


def judge(file: Any, hub: Any, last: Any, *, force: bool = False) -> Verdict:
    """Compare what the file says, what the hub says, and what both said last; None is “there is none”.

    `force` takes the file whatever was changed in the hub, but removes nothing that never was a file.
    """
    if file == hub:
        return Verdict.SAME
    if force and not (file is None and last is None):
        return Verdict.TAKE
    if file == last:
        return Verdict.KEEP
    return Verdict.TAKE if hub == last else Verdict.CONFLICT


class Known:
    """What the hub remembers of the files whose names begin with `prefix`.

    `read` tells from name, path and text what a file says.
    """

    def __init__(self, prefix: str, read: Callable[[str, str, str], Any]) -> None:
        rows = db.session.scalars(select(KnownFile).where(KnownFile.name.startswith(prefix, autoescape=True)))
        self.rows = {row.name: row for row in rows}
        self._read = read

    def last(self, name: str) -> Any:
        """What file and hub both said last; None when that is not known."""
        if name not in self.rows:
            return None
        try:
            return self._read(name, self.rows[name].path, self.rows[name].text)
        except HubError:
            return None  # of another version of the hub

    def settle(
        self, name: str, path: str, text: str | None, hub: Any, *, force: bool, report: Report, where: str
    ) -> bool:
        """Note in the report what becomes of a file, and remember it; must its text be taken?"""
        file = None if text is None else self._read(name, path, text)
        verdict = judge(file, hub, self.last(name), force=force)
        if verdict is Verdict.CONFLICT:
            report.conflicts.append(where)
            return False
        if verdict is Verdict.TAKE:
            (report.created if hub is None else report.revised).append(where)
        elif file is not None:
            report.unchanged.append(where)
        if verdict is not Verdict.KEEP:
            self.remember(name, path, text)
        return verdict is Verdict.TAKE

    def remember(self, name: str, path: str, text: str | None) -> None:
        """File and hub say the same now."""
        row = self.rows.get(name)
        if text is None:
            if row is not None:
                db.session.delete(self.rows.pop(name))
            return
        if row is None:
            row = self.rows[name] = KnownFile(name=name)
            db.session.add(row)
        row.path, row.text = path, text

    def file(self, name: str, hub: Any, path: str, write: Callable[[], str]) -> tuple[str, str]:
        """(path, text) that say what the hub says: the file as it was, or a new one."""
        if name in self.rows and self.last(name) == hub:
            return self.rows[name].path, self.rows[name].text
        return path, write()

    def save(self, folder: Path, name: str, path: str, text: str) -> list[Path]:
        """Write a file unless it is there already, and remember it; returns what was written."""
        self.remember(name, path, text)
        return put(folder / path, text.encode())


def put(path: Path, content: bytes) -> list[Path]:
    """Write a file unless it is there already; returns what was written."""
    if path.exists() and path.read_bytes() == content:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return [path]
