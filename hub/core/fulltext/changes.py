"""Rows that changed since they were indexed, noted in the transaction that changes them.

A room says once which model a kind follows from; whoever changes a row, by whatever verb, leaves a note here,
and the worker writes the row's documents anew. A change while it writes raises `version`: the note stays.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    Table,
    delete,
    event,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import Session, object_session

from ..database import Base, db, transaction
from ..jobs import ring

#: The job that writes what is noted; the search room has it.
WRITE = "search.write"

notes = Table(
    "search_change",
    Base.metadata,
    Column("kind", String(30), primary_key=True),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False, server_default="1"),
)
_NOTE = text(
    "INSERT INTO search_change (kind, id, version) VALUES (:kind, :id, 1)"
    " ON CONFLICT (kind, id) DO UPDATE SET version = search_change.version + 1"
)
_RUNG = "search_rung"
_NOTED = "search_noted"


def follow(model: type[Any], kind: str, id_of: Callable[[Any], int | None] = lambda row: row.id) -> None:
    """Index the document `id_of(row)` of `kind` again whenever a row of `model` is added, changed or deleted."""

    def note(_mapper: Any, connection: Connection, row: Any) -> None:
        session = object_session(row)
        changed = session is None or session.is_modified(row) or row in session.new or row in session.deleted
        number = id_of(row)
        if changed and number is not None and not _is_noted(session, kind, number):
            connection.execute(_NOTE, {"kind": kind, "id": number})
            _ring_once(session)

    for moment in ("after_insert", "after_update", "after_delete"):
        event.listen(model, moment, note)


def note(kind: str, ids: Iterable[int]) -> None:
    """Index these documents again, for a reason that lies outside their own row. Needs an open transaction."""
    rows = [{"kind": kind, "id": number} for number in sorted(ids)]
    if rows:
        db.session.execute(_NOTE, rows)
        ring(WRITE)


def pending(after: tuple[str, int] = ("", 0), limit: int = 200) -> dict[str, dict[int, int]]:
    """The next noted ids with their versions, by kind."""
    db.session.rollback()
    found: dict[str, dict[int, int]] = {}
    place = tuple_(notes.c.kind, notes.c.id)
    following = select(notes).where(place > after).order_by(notes.c.kind, notes.c.id).limit(limit)
    for kind, number, version in db.session.execute(following):
        found.setdefault(kind, {})[number] = version
    return found


def forget(kind: str, versions: dict[int, int]) -> None:
    """Strike out what has been written, unless it was changed again meanwhile."""
    with transaction() as session:
        for number, version in versions.items():
            same = (notes.c.kind == kind) & (notes.c.id == number) & (notes.c.version == version)
            session.execute(delete(notes).where(same))


def _is_noted(session: Session | None, kind: str, number: int) -> bool:
    """Has the open transaction noted this row already? A savepoint may take its notes back, so it notes again."""
    open_transaction = session.get_transaction() if session else None
    if session is None or open_transaction is None or session.in_nested_transaction():
        return False
    noted = session.info.get(_NOTED)
    if noted is None or noted[0] is not open_transaction:
        noted = session.info[_NOTED] = (open_transaction, set())
    rows: set[tuple[str, int]] = noted[1]
    known = (kind, number) in rows
    rows.add((kind, number))
    return known


def _ring_once(session: Session | None) -> None:
    """One ring for a transaction, however many rows it changes."""
    open_transaction = session.info.get("after_commit") if session else None
    if open_transaction is None:
        return  # no door's transaction: the schedule finds the note
    if session is not None and session.info.get(_RUNG) is not open_transaction:
        session.info[_RUNG] = open_transaction
        ring(WRITE)
