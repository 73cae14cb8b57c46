"""`hub serve` for real: it survives the death of its processes, and production keeps its rules."""

import os
import signal
import socket
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.running import HUB, ROOT, RunningHub
from tests.servers import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.once]
SECRET = "a-secret-of-our-own-that-is-long-enough"


@pytest.fixture
def hub(tmp_path):
    hub = RunningHub(tmp_path / "home", HUB_ENV="production", HUB_SECRET_KEY=SECRET)
    yield hub
    hub.stop()


def serve(hub):
    """Run `hub serve` where it should end by itself."""
    command = [*HUB, "serve"]
    return subprocess.run(command, check=False, cwd=ROOT, env=hub.environment, capture_output=True, text=True)


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def child_running(hub, word):
    """Return the id of the supervised process whose command contains the word."""
    for pid in children(hub.process.pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it may have ended since it was listed
            if word in Path(f"/proc/{pid}/cmdline").read_text():
                return pid
    raise LookupError(word)


@pytest.mark.parametrize("word", ["worker\0", "gunicorn"])
def test_a_killed_process_is_started_again(hub, word):
    hub.start()
    before = child_running(hub, word)
    os.kill(before, signal.SIGKILL)

    def started_again():
        if child_running(hub, word) == before:
            raise LookupError(word)

    wait_for(started_again, LookupError)
    wait_for(hub.answer, ConnectionError)
    assert hub.stop() == 0


def test_production_is_never_given_demo_data(hub):
    hub.start()
    with sqlite3.connect(hub.home / "hub.db") as database:
        assert database.execute("SELECT count(*) FROM user").fetchone() == (0,)
    with pytest.raises(subprocess.CalledProcessError):
        hub.command("demo")


@pytest.mark.parametrize("secret", [None, "too-short"])
def test_production_refuses_a_weak_secret(tmp_path, secret):
    hub = RunningHub(tmp_path, HUB_ENV="production", **({} if secret is None else {"HUB_SECRET_KEY": secret}))
    ended = serve(hub)
    assert ended.returncode == 1
    assert ended.stderr.startswith("HUB_SECRET_KEY")


def test_a_taken_port_is_named(tmp_path):
    hub = RunningHub(tmp_path)
    with socket.create_server(("127.0.0.1", hub.port)):
        ended = serve(hub)
    assert ended.returncode == 1
    assert str(hub.port) in ended.stderr
    assert "HUB_PORT" in ended.stderr
