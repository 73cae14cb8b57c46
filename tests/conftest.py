"""The application on a real database, emptied between tests; a cast; signed-in clients."""

import os
import shutil
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import redis  # noqa: F401 (before the hub, which leaves it out where the environment names none)
from flask import g
from socketio import Manager
from sqlalchemy import Table, insert

from hub.accounts import sessions
from hub.app import create_app
from hub.core import extensions, i18n, jobs, migrations
from hub.core.database import db, transaction
from hub.core.live import Process
from hub.core.settings import Settings

from . import factories, servers

Rows = dict[Table, list[dict[str, Any]]]
BACKEND = os.environ.get("HUB_TEST_BACKEND", "sqlite")
if BACKEND not in ("sqlite", "postgresql"):
    raise RuntimeError(f"HUB_TEST_BACKEND={BACKEND} is not known")


def pytest_configure(config):
    """Start the servers once, in the process that controls the run; its workers inherit their addresses."""
    if BACKEND == "postgresql" and not hasattr(config, "workerinput") and not config.option.collectonly:
        config.servers = servers.Servers()
        try:
            os.environ.update(config.servers.start())
        except servers.MissingServer as missing:
            pytest.exit(str(missing), returncode=1)


def pytest_unconfigure(config):
    """Stop the servers, however the run ended."""
    if hasattr(config, "servers"):
        config.servers.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out single tests, but those in a browser all to one process: they share a hub and start first."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduler(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "browser" if nodeid.startswith("tests/browser/") else nodeid

    return Scheduler(config, log)


def pytest_collection_modifyitems(config, items):
    """Leave out of the second run what touches neither database nor queue: it cannot go otherwise there."""
    if BACKEND == "postgresql":
        alike = [item for item in items if not needs_backend(item)]
        items[:] = [item for item in items if needs_backend(item)]
        config.hook.pytest_deselected(items=alike)


def needs_backend(item) -> bool:
    if item.get_closest_marker("once"):
        return False
    starts_processes = item.get_closest_marker("browser") or item.get_closest_marker("crash")
    return bool(starts_processes) or not {"the_app", "backend_urls"}.isdisjoint(item.fixturenames)


@pytest.fixture(scope="session")
def backend_urls() -> dict[str, str]:
    """Settings that choose the database and the queue under test."""
    if BACKEND == "sqlite":
        return {}
    database = servers.create_database(f"hub_{servers.worker_number()}")
    return {"database_url": database, "redis_url": servers.redis_address()}


def forget_the_last_request():
    """Requests of a test share its context: without this the second browser would be the first one's person."""
    vars(g).clear()


def keep_sockets_here(server):
    """Emit without Redis in between, for which Flask-SocketIO's test client cannot wait."""
    server.manager = Manager()
    server.manager.set_server(server)
    server.manager.initialize()


@pytest.fixture(scope="session")
def the_app(tmp_path_factory, backend_urls):
    home: Path = tmp_path_factory.mktemp("home")
    settings = Settings(env="test", home=home, rate_limits="off", port=8000, **backend_urls)
    app = create_app(settings, process=Process.WEB)
    app.config["WTF_CSRF_ENABLED"] = False
    keep_sockets_here(extensions.socketio.server)
    app.before_request_funcs.setdefault(None, []).insert(0, forget_the_last_request)
    with app.app_context():
        db.drop_all()
        db.create_all()
        migrations.prepare(app)
        flask_migrate.stamp()
    return app


@pytest.fixture
def app(the_app):
    """The application, its context pushed and its database and queue empty."""
    with the_app.app_context():
        empty()
        shutil.rmtree(the_app.extensions["hub.settings"].home / "index", ignore_errors=True)
        forget_journals(the_app)
        jobs.queue().flush()
        i18n.activate("en", "UTC")
        yield the_app
        db.session.remove()


def forget_journals(app) -> None:
    """Clicks and views that no worker has counted are the last test's."""
    for name, journal in app.extensions.items():
        if name.startswith("hub.journal."):
            journal.let_go()
            shutil.rmtree(journal.folder, ignore_errors=True)


def empty(instead: Rows | None = None) -> None:
    """Delete every row, and insert these instead."""
    tables = list(reversed(db.metadata.sorted_tables))
    with db.engine.connect() as connection:
        run = connection.exec_driver_sql
        if connection.dialect.name == "postgresql":
            run(_emptying(tables))
            _insert(connection, instead or {})
            run(_counting(instead or {}))
            connection.commit()
        else:
            run("COMMIT")
            run("PRAGMA foreign_keys=OFF")
            run("BEGIN IMMEDIATE")
            for table in tables:
                run(f'DELETE FROM "{table.name}"')
            _insert(connection, instead or {})
            run("COMMIT")
            run("PRAGMA foreign_keys=ON")
            run("BEGIN")


def _insert(connection, rows: Rows) -> None:
    for table, some in rows.items():
        if some:
            connection.execute(insert(table), some)


def _emptying(tables) -> str:
    """One string of statements: thirty times faster than TRUNCATE, which makes new files for every table."""
    deletes = [f'DELETE FROM "{table.name}"' for table in tables]
    sequences = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
    return "; ".join(["SET session_replication_role = replica", *deletes, sequences])


def _counting(rows: Rows) -> str:
    """The next id comes after the last one."""
    last = {
        table.name: max(row["id"] for row in some) for table, some in rows.items() if some and "id" in some[0]
    }
    moves = [f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), {id})" for name, id in last.items()]
    return "; ".join([*moves, "RESET session_replication_role"])


@pytest.fixture
def cast(app):
    """Acme and Other with their owners, an agent, a manager, an admin."""
    return factories.make_cast()


@pytest.fixture
def partner(cast):
    return cast.partner


@pytest.fixture
def other_partner(cast):
    return cast.other_partner


@pytest.fixture
def agent(cast):
    return cast.agent


@pytest.fixture
def manager(cast):
    return cast.manager


@pytest.fixture
def admin(cast):
    return cast.admin


@pytest.fixture
def client(app):
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def browse(app):
    """`browse(user)` is a browser in which `user` is signed in."""

    def browse(user):
        return signed_in(app, begin_session(user))

    return browse


def begin_session(user) -> str:
    with transaction():
        return sessions.begin(user)


def signed_in(app, token: str):
    """A browser with the cookie of a session."""
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["_fresh"] = True
    return client


@pytest.fixture
def worker(app):
    """`worker()` runs everything that has been rung; returns how many jobs ran."""
    return jobs.drain
