"""Keep the web server and the worker running side by side, and stop both together."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .lean import LIBC

STOP_SECONDS = 25.0
QUICK_DEATH_SECONDS = 5.0
MOST_QUICK_DEATHS = 3
LONGEST_PAUSE_SECONDS = 30.0
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have Linux end this process when the supervisor is gone, even if it was killed (prctl(2))."""
    if hasattr(LIBC, "prctl"):
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def web_command(application: str, host: str, port: int, threads: int) -> list[str]:
    """Return the command of the web server: one process, one thread per open socket.

    `application` names the WSGI application the way gunicorn reads it, as in `hub.app:create_app()`.
    """
    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "worker-class": "gthread",
        "workers": 1,
        "threads": threads,
        "worker-connections": threads + 1000,
        "keep-alive": 20,
        "graceful-timeout": 3,
        "log-level": "warning",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "gunicorn", *flags, "--no-control-socket", application]


@dataclass
class Child:
    """One supervised process, and when to start it again after it died."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        """Start the process in a session of its own: Ctrl-C in the terminal reaches the supervisor alone."""
        self.process = subprocess.Popen(  # noqa: S603
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 (the supervisor has no threads)
        )
        self.started_at = time.monotonic()

    def look(self) -> None:
        """Start the process when it should run and does not.

        Raises ChildFailed when it ends by itself again and again right after its start, because then
        its settings are wrong and starting it once more helps nobody.
        """
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        is_quick = now - self.started_at < QUICK_DEATH_SECONDS
        self.quick_deaths = self.quick_deaths + 1 if is_quick else 1
        if status > 0 and is_quick and self.quick_deaths >= MOST_QUICK_DEATHS:
            raise ChildFailed(self.name, status)
        pause = min(0.5 * 2 ** (self.quick_deaths - 1), LONGEST_PAUSE_SECONDS)
        print(f"The {self.name} ended with status {status}; starting it again.", file=sys.stderr, flush=True)
        self.process, self.start_at = None, now + pause

    def ask_to_stop(self) -> None:
        """Send SIGTERM, which both children take as “finish what you are doing”."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait_or_kill(self, deadline: float) -> None:
        """Wait for the end until the deadline, then end it and everything it started."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class ChildFailed(Exception):
    """A supervised process cannot run."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"The {name} does not start (status {status}).")
        self.status = status


@dataclass
class Supervisor:
    """Runs the children until a signal asks to stop."""

    children: list[Child]
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start the children before `run` looks after them."""
        for child in self.children:
            child.start()

    def run(self, when_ready: Callable[[], None], is_ready: Callable[[], bool]) -> int:
        """Run until SIGINT or SIGTERM, call `when_ready` once, and return the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stopping.set())
        told = False
        try:
            while not self.stopping.wait(0.1):
                for child in self.children:
                    child.look()
                if not told and is_ready():
                    told = True
                    when_ready()
        except ChildFailed as failure:
            print(failure, file=sys.stderr, flush=True)
            return failure.status
        finally:
            self.stop()
        return 0

    def stop(self) -> None:
        """Stop all children at the same time."""
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.wait_or_kill(deadline)


def is_listening(host: str, port: int) -> bool:
    """Tell whether somebody accepts connections at this address."""
    try:
        socket.create_connection((reachable(host), port), timeout=0.5).close()
    except OSError:
        return False
    return True


def is_answering(host: str, port: int) -> bool:
    """Tell whether the application behind this address answers; a server listens some time before it does."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    """Return an address at which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
