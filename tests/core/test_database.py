"""Writing: all or nothing, fresh inside, and the world told only after the commit."""

import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError

from hub.accounts.models import User
from hub.core import database, turns
from hub.core.access import Role
from hub.core.database import after_commit, bring_home, db, transaction, update_now
from hub.core.turns import Turn

from ..factories import make_user


def test_a_failing_block_leaves_nothing_and_tells_nobody(app):
    told = []

    def fail():
        with transaction():
            make_user(email="gone@example.org")
            after_commit(lambda: told.append(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert db.session.scalar(select(User)) is None
    assert told == []


def test_the_world_is_told_after_the_commit(app):
    seen = []
    with transaction():
        make_user(email="here@example.org")
        after_commit(lambda: seen.append(db.session.scalar(select(User.email))))
        assert seen == []
    assert seen == ["here@example.org"]


def test_a_second_transaction_inside_the_first_is_refused(app):
    with pytest.raises(RuntimeError), transaction(), transaction():
        pass


@pytest.mark.parametrize(
    "write",
    [
        lambda user: setattr(user, "name", "Changed by the way") or db.session.flush(),
        lambda _user: db.session.execute(update(User).values(name="Changed by the way")),
    ],
    ids=["object", "statement"],
)
def test_a_request_that_writes_outside_a_transaction_fails(app, write):
    with transaction():
        user = make_user(name="As it was")
    with app.test_request_context("/"):
        with pytest.raises(RuntimeError, match="inside transaction"):
            write(user)
        db.session.rollback()
    assert db.session.scalar(select(User.name).where(User.id == user.id)) == "As it was"


def test_what_requests_ask_again_and_again_stays_prepared(app):
    is_postgresql = db.engine.dialect.name == "postgresql"
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%asked_here%'")
    with db.engine.connect(), db.engine.connect(), db.engine.connect():
        pass  # there are several, and still one of them gets to know what is asked
    with app.test_request_context("/"):
        for _request in range(10):
            db.session.execute(text("SELECT 1 AS asked_here"))
            db.session.rollback()
        assert (db.session.get_bind() is db.engine) != is_postgresql
        assert not is_postgresql or db.session.scalar(prepared) == 1


def test_writers_queue_and_decide_on_what_the_former_wrote(app):
    with transaction():
        user = make_user(name="0")
    number = user.id

    def add_one():
        with app.app_context():
            for _ in range(10):
                with transaction() as session:
                    mine = session.get(User, number, with_for_update=True)
                    mine.name = str(int(mine.name) + 1)

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert db.session.get(User, number, populate_existing=True).name == "80"


@pytest.mark.once
def test_the_turn_goes_to_who_has_waited_longest():
    turn, served = Turn(), []

    def wait(number):
        assert turn.take(60)
        served.append(number)
        turn.give_back()

    for _ in range(20):
        assert turn.take(0)
        assert not turn.take(0)  # its patience has ended, and it waits no more
        waiting = [threading.Thread(target=wait, args=(number,)) for number in range(3)]
        for number, thread in enumerate(waiting):
            thread.start()
            while turn.waiting <= number:
                time.sleep(0)
        turn.give_back()
        assert turn.take(60)  # a late comer, though it looks at the right moment
        assert served == [0, 1, 2]
        turn.give_back()
        for thread in waiting:
            thread.join(60)
        served.clear()


def test_who_is_called_away_while_waiting_keeps_the_turn_from_nobody():
    turn = Turn()
    for is_handed_over in (False, True):
        assert turn.take(0)

        class Interrupted:
            def acquire(self, timeout=None):
                if timeout is not None:
                    if is_handed_over:  # noqa: B023 (called within this round)
                        turn.give_back()
                    raise KeyboardInterrupt

            def release(self):
                pass

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turns.threading, "Lock", Interrupted)
            with pytest.raises(KeyboardInterrupt):
                turn.take(60)
        if not is_handed_over:
            turn.give_back()
        assert turn.waiting == 0
        assert turn.take(0)
        turn.give_back()


@pytest.mark.once
def test_who_has_waited_in_the_process_waits_only_the_rest_for_others(app, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 1)
    elsewhere = sqlite3.connect(db.engine.url.database, isolation_level=None)
    elsewhere.execute("BEGIN IMMEDIATE")
    asked = []
    monkeypatch.setattr(database._writing, "take", lambda patience: not time.sleep(0.3))
    monkeypatch.setattr(database._writing, "give_back", lambda: None)
    with statements(asked), pytest.raises(OperationalError, match="locked"), transaction():
        pass
    elsewhere.close()
    db.session.remove()
    db.engine.dispose()  # its connections know this patience
    waited, restored = [int(sql.partition("=")[2]) for sql in asked if "busy_timeout" in sql]
    assert waited <= 700
    assert restored == 1000


@contextmanager
def statements(asked):
    def note(_connection, _cursor, sql, *_rest):
        asked.append(sql)

    event.listen(db.engine, "before_cursor_execute", note)
    yield
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.once
def test_a_writer_waits_for_those_of_other_processes(app):
    with transaction():
        user = make_user(name="0")
    number = user.id
    elsewhere = sqlite3.connect(db.engine.url.database, isolation_level=None, check_same_thread=False)
    elsewhere.execute("BEGIN IMMEDIATE")
    elsewhere.execute('UPDATE "user" SET name = name + 1')
    threading.Timer(0.05, elsewhere.commit).start()
    with transaction() as session:
        assert session.get(User, number).name == "1"
    elsewhere.close()


@pytest.mark.once
def test_the_log_is_brought_home_while_somebody_writes(app, tmp_path):
    with transaction():
        make_user(email="home@example.org")
    with transaction() as session:
        make_user(email="writing@example.org")
        session.flush()
        bring_home(db.engine)  # over a connection of its own: it waits for nobody
        alone = tmp_path / "without-its-log.db"
        # Another process copies it: closing the file here would take SQLite's locks off it.
        subprocess.run(["cp", db.engine.url.database, alone], check=True)
    assert sqlite3.connect(alone).execute('SELECT email FROM "user"').fetchall() == [("home@example.org",)]


def test_a_row_written_at_once_is_as_if_it_had_been_flushed(app):
    with transaction():
        user = make_user(name="Old")
    number = user.id

    def name():
        return db.session.connection().exec_driver_sql('SELECT name FROM "user"').scalar()

    for written, later in (("New", None), ("Newer", "Newest")):
        with transaction() as session:
            mine = session.get_one(User, number)
            mine.name, mine.locale = written, mine.locale
            update_now(mine)
            assert not session.is_modified(mine)
            assert name() == written
            mine.name = later or mine.name
        assert name() == (later or written)

    def fail():
        with transaction() as session:
            mine = session.get_one(User, number)
            mine.name = "Nobody"
            update_now(mine)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert db.session.get_one(User, number).name == "Newest"


def test_moments_keep_their_zone_and_naive_ones_are_refused(app):
    with transaction():
        user = make_user(last_seen_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    db.session.expire_all()
    assert db.session.get(User, user.id).last_seen_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    with pytest.raises(Exception, match="time zone"), transaction():
        make_user(last_seen_at=datetime(2026, 1, 1))


def test_a_state_is_kept_as_its_value(app):
    with transaction():
        make_user(Role.AGENT)
    raw = db.session.connection().exec_driver_sql('SELECT role FROM "user"').scalar()
    assert raw == "agent"
