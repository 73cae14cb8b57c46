"""A web server killed while visitors follow links: whoever was led on is counted."""

import http.client
import os
import signal
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from bench.server import spare_port, web
from hub.core import jobs
from hub.core.database import db
from hub.core.serve import is_answering
from hub.core.settings import settings
from hub.materials import clicks
from hub.materials.models import Click
from tests.factories import make_partner
from tests.servers import wait_for

pytestmark = pytest.mark.crash
VISITORS, ENOUGH = 4, 200


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def answering(port):
    if not is_answering("127.0.0.1", port):
        raise ConnectionError


def follow(port, answered, enough):
    """Follow a link until the server is gone; note the click of each answer that arrived."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        while True:
            connection.request("GET", "/go/ACME", headers={"User-Agent": "Mozilla/5.0"})
            answer = connection.getresponse()
            answer.read()
            answered.append(answer.headers["Location"].rpartition("click=")[2])
            if len(answered) >= ENOUGH:
                enough.set()
    except (OSError, http.client.HTTPException):
        pass


def test_everyone_who_was_led_on_is_counted(app):
    make_partner(code="ACME")
    db.session.commit()
    port = spare_port()
    environment = os.environ | {
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_PORT": str(port),
    }
    answered, enough = [], threading.Event()
    with web("hub.wsgi:app", port, environment) as server:
        wait_for(lambda: answering(port), ConnectionError, seconds=120)
        visitors = [threading.Thread(target=follow, args=(port, answered, enough)) for _ in range(VISITORS)]
        for visitor in visitors:
            visitor.start()
        assert enough.wait(120)
        for process in [server.pid, *children(server.pid)]:
            os.kill(process, signal.SIGKILL)
        for visitor in visitors:
            visitor.join()
    jobs.run(clicks.COUNT)
    counted = set(db.session.scalars(select(Click.uid)))
    assert len(answered) == len(set(answered)) >= ENOUGH
    assert set(answered) <= counted
    # A visitor whose answer was on its way when the server died may be counted as well.
    assert len(counted) <= len(answered) + VISITORS
    assert list((settings.home / clicks.FOLDER).glob("*.clicks")) == []
