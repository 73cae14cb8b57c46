"""A web process of its own on the data of a test, which may be killed at a named point."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.core.serve import is_answering, web_command
from hub.core.settings import settings
from tests.servers import spare_port, wait_for

ROOT = Path(__file__).parents[2]


@contextmanager
def web_process(**environment: str) -> Iterator[str]:
    """Serve the database under test; yields the address. A killed process is started again, as in earnest."""
    port = spare_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    own = {
        "HUB_ENV": "test",
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_REDIS_URL": settings.redis_url,
        "HUB_PORT": str(port),
        "HUB_RATE_LIMITS": "off",
    }
    process = subprocess.Popen(
        web_command("hub.wsgi:app", "127.0.0.1", port, threads=32),
        env={**inherited, **own, **environment},
        cwd=ROOT,
    )
    try:
        wait_for(lambda: _answer(port), ConnectionError, seconds=90)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _answer(port: int) -> None:
    if not is_answering("127.0.0.1", port):
        raise ConnectionError
