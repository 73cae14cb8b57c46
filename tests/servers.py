"""PostgreSQL and Redis for one test run: started on spare ports, shared by its workers, always stopped.

The process that controls the run starts them and tells its workers where they are through the environment.
Each worker then has a database and a Redis number of its own.
"""

import atexit
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

POSTGRESQL = "HUB_TEST_POSTGRESQL"
REDIS = "HUB_TEST_REDIS"
MISSING = "{} is not installed. On Debian and Ubuntu: apt-get install {}"


class MissingServer(Exception):
    """A program that the tests need is not on this machine."""


class Servers:
    """The running servers of one test run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-servers-"))
        self.folder.chmod(0o755)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> dict[str, str]:
        """Start both and return the addresses to put into the environment."""
        atexit.register(self.stop)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return {POSTGRESQL: self.start_postgresql(), REDIS: self.start_redis()}

    def start_postgresql(self) -> str:
        """Make a throw-away cluster that never waits for the disk, and return its address."""
        programs = postgresql_programs()
        data, port = self.folder / "postgresql", spare_port()
        data.mkdir()
        become: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
            owner = pwd.getpwnam("postgres")
            os.chown(data, owner.pw_uid, owner.pw_gid)
            become = ["runuser", "-u", "postgres", "--"]
        initdb = [*become, programs / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale=C.UTF-8", "--no-sync"], check=True, stdout=subprocess.DEVNULL)
        options = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"]
        options += ["listen_addresses=127.0.0.1", f"unix_socket_directories={data}", "shared_buffers=64MB"]
        flags = [part for option in options for part in ("-c", option)]
        self.launch([*become, programs / "postgres", "-D", data, "-p", str(port), *flags])
        url = f"postgresql://hub@127.0.0.1:{port}/"
        wait_for(lambda: psycopg.connect(url + "postgres").close(), psycopg.OperationalError)
        return url

    def start_redis(self) -> str:
        """Start a Redis that keeps nothing on disk, and return its address."""
        program = shutil.which("redis-server")
        if not program:
            raise MissingServer(MISSING.format("Redis", "redis-server"))
        port = spare_port()
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--databases", "64"]
        self.launch([*command, "--save", "", "--appendonly", "no", "--dir", self.folder])
        url = f"redis://127.0.0.1:{port}/"
        wait_for(redis.Redis.from_url(url).ping, redis.ConnectionError)
        return url

    def launch(self, command: list[str | Path]) -> None:
        """Start a server in a session of its own, so that Ctrl-C reaches the tests first."""
        with (self.folder / "log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))

    def stop(self) -> None:
        """Stop what was started; doing it twice is fine."""
        for process in self.processes:
            os.killpg(process.pid, signal.SIGINT)
        for process in self.processes:
            process.wait(timeout=120)
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def postgresql_programs() -> Path:
    """Return the folder of the newest PostgreSQL server programs."""
    found = [Path(path).parent for path in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    if on_path := shutil.which("postgres"):
        return Path(on_path).parent
    raise MissingServer(MISSING.format("PostgreSQL", "postgresql"))


def spare_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(attempt: Callable[[], object], not_yet: type[Exception], seconds: float = 120) -> None:
    """Repeat the attempt until it does not raise `not_yet`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            attempt()
        except not_yet:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def worker_number() -> int:
    """Return this pytest-xdist worker's number; 0 when there is only one process."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def create_database(name: str) -> str:
    """Make a fresh, empty PostgreSQL database and return its SQLAlchemy address."""
    server = os.environ[POSTGRESQL]
    with psycopg.connect(server + "postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.replace("postgresql:", "postgresql+psycopg:") + name


def redis_address() -> str:
    """Return the address of this worker's own Redis number, emptied."""
    url = f"{os.environ[REDIS]}{worker_number()}"
    redis.Redis.from_url(url).flushdb()
    return url
