"""Servers to measure: the hub on scratch data, and the empty application, started in the same way."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.core.serve import is_listening, web_command

ROOT = Path(__file__).resolve().parent.parent
HUB = [sys.executable, "-m", "hub.cli"]


def spare_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, port: int) -> dict[str, str]:
    """Return the environment of a hub whose data lives in `home`."""
    return {
        **os.environ,
        "HUB_HOME": str(home),
        "HUB_HOST": "127.0.0.1",
        "HUB_PORT": str(port),
        "HUB_BASE_URL": f"http://127.0.0.1:{port}",
        "HUB_RATE_LIMITS": "off",
    }


def hub(env: dict[str, str], *arguments: str) -> str:
    """Run a `hub` command and return what it prints."""
    return subprocess.run(
        [*HUB, *arguments], env=env, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def run(env: dict[str, str], call: str) -> str:
    """Call a function of this package in the hub's environment, in a process that takes its memory along."""
    code = f"""
from hub.app import create_app
app = create_app()
from bench import conversations, tickets_data
with app.app_context():
    {call}
"""
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def wait_until_listening(port: int, seconds: float = 60) -> None:
    """Wait until a server that was started answers at the port; raises RuntimeError when it does not."""
    deadline = time.monotonic() + seconds
    while not is_listening("127.0.0.1", port):
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing listens on port {port}")
        time.sleep(0.1)


@contextmanager
def web(
    application: str, port: int, env: dict[str, str] | None = None, threads: int = 100
) -> Iterator[subprocess.Popen[bytes]]:
    """Run an application under the web server that the hub uses, with the same options."""
    process = subprocess.Popen(web_command(application, "127.0.0.1", port, threads), env=env, cwd=ROOT)
    try:
        wait_until_listening(port)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def memory_mb(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of the web process, the server's only child, in MB of 1,048,576 bytes."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return kilobytes / 1024
