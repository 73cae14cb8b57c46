"""The supervisor starts what died, gives up on what cannot start, and stops everything together."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import pytest

from hub.core import migrations, serve
from hub.core.settings import Settings

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
SUPERVISOR = """
    import sys
    from hub.core.serve import Child, Supervisor
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    supervisor = Supervisor([Child("web server", sleeper), Child("worker", sleeper)])
    def tell():
        print(*[child.process.pid for child in supervisor.children], flush=True)
    sys.exit(supervisor.run(tell, lambda: all(child.process for child in supervisor.children)))
"""


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def child():
    child = serve.Child("worker", SLEEPER)
    yield child
    if child.process:
        child.process.kill()
        child.process.wait()


def test_a_killed_child_is_started_again(child):
    child.look()
    first = child.process.pid
    child.process.kill()
    child.process.wait()

    def looked_again():
        child.look()
        return child.process is not None and child.process.poll() is None

    assert eventually(looked_again)
    assert child.process.pid != first


def test_a_child_that_cannot_start_is_given_up():
    child = serve.Child("web server", [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(serve.ChildFailed, match="web server does not start") as failure:
        eventually(child.look)
    assert failure.value.status == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_the_supervisor(number):
    command = [sys.executable, "-c", textwrap.dedent(SUPERVISOR)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    process.send_signal(number)
    status = process.wait(10)
    process.stdout.close()
    assert status == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    assert eventually(lambda: not any(is_alive(pid) for pid in pids))


def test_an_address_with_colons_is_bracketed():
    assert "--bind=[::1]:8000" in serve.web_command("hub.app:create_app()", "::1", 8000, 100)


def test_only_a_database_that_has_seen_every_migration_needs_no_waiting(tmp_path):
    settings = Settings(home=tmp_path)
    assert not migrations.is_up_to_date(settings), "there is none yet"
    newest = max(file.name for file in migrations.FOLDER.glob("versions/0*.py")).partition("_")[0]
    with closing(sqlite3.connect(tmp_path / "hub.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("CREATE TABLE user (id)")
        for version, people, expected in (("0001", 1, False), (newest, 0, False), (newest, 1, True)):
            database.execute("DELETE FROM alembic_version")
            database.execute("DELETE FROM user")
            database.execute("INSERT INTO alembic_version VALUES (?)", [version])
            database.executemany("INSERT INTO user VALUES (?)", [(1,)] * people)
            database.commit()
            assert migrations.is_up_to_date(settings) is expected
    assert not migrations.is_up_to_date(Settings(database_url="postgresql+psycopg://127.0.0.1/none"))
