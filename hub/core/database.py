"""The database: models' base, UTC times, and the one way to write."""

import enum
import functools
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, cast

import structlog
from flask import Flask, has_request_context
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CursorResult,
    DateTime,
    Delete,
    Enum,
    Executable,
    Insert,
    MetaData,
    Table,
    TextClause,
    TypeDecorator,
    Update,
    UpdateBase,
    any_,
    bindparam,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, scoped_session

from .settings import Settings
from .turns import Turn

log = structlog.get_logger()

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every model."""

    metadata = MetaData(naming_convention=NAMING)


class ReadingSession(Session):
    """A session that writes inside `transaction()` only: in a request anything else raises RuntimeError.

    Outside of it a request's statements stand alone on PostgreSQL (AUTOCOMMIT). They would see what is committed
    before each of them anyway; a transaction around them adds three round trips, and rolling it back makes the
    driver forget all its prepared statements, so that every statement is planned anew. Only rows that are fetched
    little by little (`yield_per`) need one.
    """

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        engine = super().get_bind(*args, **kwargs)
        if "after_commit" in self.info or not has_request_context():
            return engine
        statement = kwargs.get("clause")
        if isinstance(statement, UpdateBase):
            raise RuntimeError(NOT_HERE)
        by_and_by = isinstance(statement, Executable) and "yield_per" in statement.get_execution_options()
        if by_and_by or engine.dialect.name != "postgresql":
            return engine
        return standing_alone(engine)


NOT_HERE = "a request writes inside transaction() only"


@functools.lru_cache(maxsize=8)
def standing_alone(engine: Engine) -> Engine:
    """The engine for statements of which each is a transaction of its own."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@event.listens_for(ReadingSession, "before_flush")
def only_in_transactions(session: Session, _context: Any, _objects: Any) -> None:
    """Let nothing be written by the way."""
    if "after_commit" not in session.info and has_request_context():
        raise RuntimeError(NOT_HERE)


db = SQLAlchemy(model_class=Base, session_options={"class_": ReadingSession, "expire_on_commit": False})
#: A state is kept as its value, in a plain text column: a new one needs no migration.
_STATE = Enum(
    enum.Enum, native_enum=False, length=30, values_callable=lambda states: [state.value for state in states]
)
#: `Mapped[datetime]` is an aware UTC moment, `Mapped[SomeStrEnum]` a state, everywhere.
Base.registry.update_type_annotation_map({datetime: UTCDateTime, enum.Enum: _STATE})

#: Seconds that a writer waits for others.
PATIENCE = 5
_writing = Turn()
#: Pages of 4 KB that SQLite's log may hold until a commit itself brings them home.
MOST_LOGGED = 8_000
#: Execution option of a connection that is going to write: the seconds that it may wait for others.
WRITES = "hub_writes"


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the database of `settings` to `app`."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    if settings.is_sqlite:
        # Reads never wait for each other; one connection per thread is enough.
        options: dict[str, Any] = {
            "connect_args": {"timeout": PATIENCE, "check_same_thread": False},
            "pool_size": 20,
            "max_overflow": 100,
        }
    else:
        options = {
            "pool_pre_ping": True,
            "pool_size": 10,
            "max_overflow": 20,
            "pool_timeout": 5,
            "connect_args": {"connect_timeout": 5},
        }
    options["pool_use_lifo"] = True  # the one that has just been used has in memory what is asked for
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    if settings.is_sqlite:
        with app.app_context():
            _prepare_sqlite(db.engine)
    else:
        with app.app_context():
            _prepare_postgresql(db.engine)


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def plan_for_short_statements(connection: Any, _record: Any) -> None:
        # Compiling a plan pays in statements that run for seconds; ours run for milliseconds. And what is asked
        # often is in memory, where an index costs little more than reading on: four times as much is for disks that turn.
        connection.execute("SET jit = off")
        connection.execute("SET random_page_cost = 1.1")
        connection.commit()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"busy_timeout={PATIENCE * 1000}",
            f"wal_autocheckpoint={MOST_LOGGED}",
            "cache_size=-1000",  # KB of each connection; the system keeps the pages of the file anyway
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A read that turns into a write fails at once when another wrote in
        # between; a writer therefore queues for its lock from the start.
        patience = connection.get_execution_options().get(WRITES)
        if patience is None:
            connection.exec_driver_sql("BEGIN")
        elif patience > PATIENCE - 0.1:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:  # it has waited in this process already
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(patience * 1000)}")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={PATIENCE * 1000}")


def start_checkpoints(app: Flask, pause: float = 1.0) -> None:
    """Bring home what SQLite's log holds from a thread of this web process, so that no writer waits for the disk.

    Where nobody does, every commit past MOST_LOGGED sees to it; so does the one by which the log starts over.
    A commit survives the end of every process at once, a power cut once it has been here.
    """
    with app.app_context():
        engine = db.engine
    if engine.dialect.name != "sqlite":
        return

    def check() -> None:
        while True:
            time.sleep(pause)
            try:
                bring_home(engine)
            except Exception as error:
                log.warning("checkpoint", error=str(error)[:200])

    threading.Thread(target=check, name="checkpoints", daemon=True).start()


def bring_home(engine: Engine) -> None:
    """Write what SQLite's log holds into the database and onto the disk, as far as nobody is in the way."""
    with closing(engine.raw_connection()) as connection:  # SQLite refuses it in a transaction
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")


@contextmanager
def transaction() -> Iterator[scoped_session[Any]]:
    """Write: all of the block or nothing; then run what waited for the commit.

    Belongs in doors, exactly once per write. Objects read before are read
    again inside, so that rules decide on the present state.
    """
    session = db.session()
    if "after_commit" in session.info:
        raise RuntimeError("a transaction is already open: doors open exactly one")
    session.rollback()
    session.expire_all()
    waiting: list[Callable[[], None]] = []
    session.info["after_commit"] = waiting
    try:
        with _turn(session) as patience:
            try:
                session.connection(execution_options={WRITES: patience})
                yield db.session
                session.commit()
            except BaseException:
                session.rollback()
                raise
    finally:
        del session.info["after_commit"]
    for tell in waiting:
        tell()


@contextmanager
def _turn(session: Any) -> Iterator[float]:
    """Wait for the writers before this one in the process, where the database has but one at a time.

    Yields the seconds that are left of the patience with others.

    SQLite lets waiting writers look again and again, and whoever looks at the right moment is next: of twenty
    threads some never are. A queue of our own wakes the one who came first, at once. Against writers of other
    processes, of which there are few, SQLite's way is good enough.
    """
    if session.get_bind().dialect.name != "sqlite":
        yield PATIENCE
        return
    start = time.monotonic()
    if not _writing.take(PATIENCE):
        raise OperationalError("BEGIN", None, TimeoutError("other writers take too long"))
    try:
        yield max(0, PATIENCE - (time.monotonic() - start))
    finally:
        _writing.give_back()


def touched(statement: Update | Delete | TextClause, values: dict[str, Any] | None = None) -> int:
    """Execute a conditional update or a delete; how many rows it touched."""
    return cast("CursorResult[Any]", db.session.execute(statement, values)).rowcount


def among(column: Any, ids: Collection[int]) -> ColumnElement[bool]:
    """`column` is one of these numbers, however many: as one parameter, where IN takes one for each."""
    if db.session.get_bind().dialect.name == "postgresql":
        return cast("ColumnElement[bool]", column == any_(literal(list(ids), ARRAY(BigInteger))))
    held = func.json_each(json.dumps(list(ids))).table_valued("value")
    return cast("ColumnElement[bool]", column.in_(select(held.c.value)))


def insert_of_dialect(model: Any) -> Any:
    """An INSERT into the model's table in the words of this database, which know ON CONFLICT."""
    name = db.session.get_bind().dialect.name
    return import_module(f"sqlalchemy.dialects.{name}").insert(model)  # the other dialect stays out of memory


def insert_now(model: type[Any], **values: Any) -> Any:
    """Add one row by one statement, in the open transaction; its id.

    For rows that come with every message: the unit of work takes five times as long. It makes no object,
    and whoever listens for new objects of the model does not hear of it.
    """
    result = db.session.connection().execute(_insert(cast("Table", model.__table__)), values)
    return (result.inserted_primary_key or (None,))[0]


@functools.cache
def _insert(table: Table) -> Insert:
    return insert(table)


def update_now(row: Any) -> None:
    """Write what has changed in an object's own columns by one statement, in the open transaction.

    For the row that every message changes: the unit of work takes several times as long. Whoever listens for
    changed objects of the model does not hear of it.
    """
    state = inspect(row)
    columns, values = row.__table__.c, state.dict
    before = {key: old for key, old in state.committed_state.items() if key in columns}
    changed = {key: values[key] for key, old in before.items() if values[key] != old}
    if changed:
        statement = _update(row.__table__, tuple(sorted(changed)))
        db.session.connection().execute(statement, changed | {"row_id": row.id})
    state._commit_all(values, state.session.identity_map)  # as it is after a flush


@functools.cache
def _update(table: Table, columns: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    return update(table).where(table.c.id == bindparam("row_id")).values(values)


def after_commit(tell: Callable[[], None]) -> None:
    """Run `tell` when the open transaction has committed; at once when none is open.

    A transaction that fails forgets it.
    """
    waiting = db.session().info.get("after_commit")
    if waiting is None:
        tell()
    else:
        waiting.append(tell)


def tell_nobody() -> None:
    """Forget what waits for the open transaction's commit: for bulk work that nobody is there to hear of."""
    db.session().info["after_commit"].clear()
