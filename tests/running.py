"""A real hub for tests that need one: web server and worker on a spare port, with data of its own."""

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from hub.core.serve import is_answering

from .servers import spare_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
HUB = [sys.executable, "-m", "hub.cli"]


class RunningHub:
    """Starts, stops and restarts `hub serve`, always at the same address and on the same data."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.port = spare_port()
        self.base = f"http://127.0.0.1:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        own = {"HUB_HOME": str(home), "HUB_PORT": str(self.port), "HUB_RATE_LIMITS": "off"}
        self.environment = {**inherited, **own, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> str:
        """Run a `hub` command on this hub's data and return what it prints."""
        finished = subprocess.run(
            [*HUB, *arguments], cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return finished.stdout

    @functools.cache  # noqa: B019 – a test run has one or two hubs, and the command takes seconds
    def sign_ins(self) -> dict[str, list[dict[str, str]]]:
        """Return the demo's people by role."""
        found: dict[str, list[dict[str, str]]] = {}
        for person in json.loads(self.command("demo", "--json")):
            found.setdefault(person["role"], []).append(person)
        return found

    def start(self) -> None:
        """Start and wait until the application answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*HUB, "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.answer, ConnectionError, seconds=120)

    def answer(self) -> None:
        """Raise unless the application answers."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"hub serve ended:\n{self.log()[-3000:]}")
        if not is_answering("127.0.0.1", self.port):
            raise ConnectionError

    def log(self) -> str:
        """Return everything the processes have printed."""
        return (self.home / "serve.log").read_text()

    def stop(self) -> int:
        """Ask to stop, wait, and return the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process = None
        return status

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()
