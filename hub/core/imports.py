"""Files that change data: uploaded, previewed, confirmed. What is imported is exactly what was previewed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, select
from sqlalchemy.orm import Mapped, deferred, mapped_column

from . import audit, clock, sheets
from .crash import crash_point
from .database import db
from .errors import HubError, Invalid, TooLarge
from .i18n import Text, _, _l

LARGEST = 8_000_000  # bytes


class ImportState(StrEnum):
    PREVIEWED = "previewed"
    DONE = "done"
    DISCARDED = "discarded"


class FileImport(db.Model):
    """An uploaded file, what it would change, and whether it has."""

    __table_args__ = (Index("ix_file_import_list", "kind", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # "sales", "partners"
    state: Mapped[ImportState] = mapped_column(default=ImportState.PREVIEWED)
    filename: Mapped[str]
    sha256: Mapped[str]
    body: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    plan_hash: Mapped[str]  # of the changes that were shown
    counts: Mapped[dict[str, int]] = mapped_column(JSON)  # new, known, problems
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]


class ImportOutdated(HubError):
    message = _l(
        "The data has changed since the preview. Nothing was imported: look at the new preview and confirm again."
    )


class ImportRefused(HubError):
    message = _l("Rows of this file are wrong. Nothing was imported.")


class ImportOver(HubError):
    message = _l("This import has been finished already.")


@dataclass(frozen=True)
class Column:
    """A column of a kind of file, for its documentation and its check."""

    name: str
    meaning: Text
    example: str
    required: bool = True


@dataclass(frozen=True)
class Problem:
    """What is wrong, where."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Change:
    """One thing an import would do; `value` is what `apply` needs, and its repr is part of what is confirmed."""

    line: int
    action: str  # key of Kind.actions
    value: Any


@dataclass
class Plan:
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    known: int = 0  # rows that say what the hub knows already
    notes: list[str] = field(default_factory=list)  # what the changes come to, in words

    def blame(self, line: int, column: str, reason: str) -> None:
        self.problems.append(Problem(line, column, reason))

    def sort(self) -> None:
        self.problems.sort(key=lambda each: each.line)
        self.changes.sort(key=lambda each: each.line)

    @property
    def counts(self) -> dict[str, int]:
        return {"new": len(self.changes), "known": self.known, "problems": len(self.problems)}

    def digest(self) -> str:
        """A fingerprint of the changes: the same one means the same import."""
        whole = hashlib.sha256()
        for change in self.changes:
            whole.update(repr((change.line, change.action, change.value)).encode())
        return whole.hexdigest()


@dataclass(frozen=True)
class Kind:
    """A kind of import: what its file holds, what it would change, and how it changes it."""

    name: str  # "sales": of the command too
    title: Text
    lead: Text  # what to know before choosing a file
    columns: tuple[Column, ...]
    actions: dict[str, Text]
    heads: tuple[Text, ...]  # of the preview's table
    cells: Callable[[list[Any]], list[tuple[str, ...]]]  # changes' values in the preview's table
    plan: Callable[[sheets.Sheet], Plan]
    apply: Callable[[list[Change], Any, FileImport], None]


def plan(kind: Kind, body: bytes) -> Plan:
    """What a file would change, and what is wrong in it. Changes nothing. Raises Invalid, TooLarge."""
    if len(body) > LARGEST:
        raise TooLarge
    sheet = sheets.read(body)
    missing = [column.name for column in kind.columns if column.required and column.name not in sheet.columns]
    if missing:
        raise Invalid(
            _("The first line must name the columns; missing: %(names)s.", names=", ".join(missing))
        )
    twice = {name for name in sheet.columns if name and sheet.columns.count(name) > 1}
    if twice:
        raise Invalid(_("A column is there twice: %(names)s.", names=", ".join(sorted(twice))))
    found = kind.plan(sheet)
    for row in sheet.rows:
        if row[""]:
            found.blame(
                row.line,
                "",
                _("There are more cells than columns. Put a text that contains the separator in quotes."),
            )
    found.sort()
    return found


def preview(kind: Kind, filename: str, body: bytes, actor: Any) -> tuple[FileImport, Plan]:
    """Keep a file and what it would change. Raises Invalid, TooLarge."""
    found = plan(kind, body)
    upload = FileImport(
        kind=kind.name,
        filename=filename[-200:] or "import.csv",
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        plan_hash=found.digest(),
        counts=found.counts,
        actor_id=getattr(actor, "id", None),
    )
    db.session.add(upload)
    db.session.flush()
    return upload, found


def confirm(kind: Kind, upload: FileImport, actor: Any) -> Plan:
    """Import what was previewed: all of it or, with an error, nothing.

    Raises ImportOver, ImportRefused when rows are wrong, ImportOutdated when
    the same file would now change something else than was shown.
    """
    # Whoever confirms the same upload at the same time waits here, and finds it done.
    found = db.session.scalar(
        select(FileImport)
        .where(FileImport.id == upload.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None or found.state is not ImportState.PREVIEWED:
        raise ImportOver
    planned = plan(kind, found.body)
    if planned.problems:
        raise ImportRefused
    if planned.digest() != found.plan_hash:
        raise ImportOutdated
    kind.apply(planned.changes, actor, found)
    crash_point("import_applied")
    found.state, found.done_at = ImportState.DONE, clock.now()
    audit.record(
        actor, f"{kind.name}.imported", f"import:{found.id}", after=found.counts | {"sha256": found.sha256}
    )
    db.session.flush()
    return planned


def discard(upload: FileImport) -> None:
    """Give an upload up. Raises ImportOver."""
    if upload.state is not ImportState.PREVIEWED:
        raise ImportOver
    upload.state = ImportState.DISCARDED


def refresh(kind: Kind, upload: FileImport) -> Plan:
    """Plan a kept file anew, for a preview of the present state."""
    found = plan(kind, upload.body)
    upload.plan_hash, upload.counts = found.digest(), found.counts
    return found
