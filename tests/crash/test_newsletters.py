"""A worker killed in the middle of a newsletter: nobody is missed, and nobody gets it twice."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hub.accounts.models import User
from hub.core.access import Role
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.newsletters import starting
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status
from tests.factories import make_member, make_partner
from tests.newsletters.factories import make_newsletter
from tests.smtp import Sink

pytestmark = pytest.mark.crash

RECIPIENTS = 200
#: One run of the job in a process of its own, as the worker would; later runs happen after the claims ran out.
WORKER = """
import sys
from datetime import timedelta
from hub.app import create_app
from hub.core import clock, jobs
app = create_app()
with app.app_context(), clock.frozen(clock.now() + timedelta(minutes=int(sys.argv[1]))):
    jobs.run("newsletters.send")
"""


@pytest.fixture
def newsletter(app):
    """A newsletter to 200 partners, started."""
    for path in (settings.home / "outbox").glob("*"):
        path.unlink()
    with transaction() as session:
        author = User(email="anna@example.org", name="Anna", role=Role.MANAGER)
        session.add(author)
        partner = make_partner()
        for n in range(RECIPIENTS):
            make_member(partner, email=f"reader{n}@example.org", locale=("en", "ru")[n % 2])
        session.flush()
        newsletter = make_newsletter(author)
    with transaction():
        assert starting.start(db.session.get(Newsletter, newsletter.id)) == RECIPIENTS
    return newsletter


def work(mail_url, *, crash_at="", minutes=0):
    """Let a worker run until it ends or is killed; its exit status."""
    environment = os.environ | {
        "HUB_ENV": "test",
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_REDIS_URL": settings.redis_url,
        "HUB_MAIL_URL": mail_url,
        "HUB_CRASH_AT": crash_at,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(minutes)], env=environment, timeout=300, check=False
    ).returncode


def ledger():
    db.session.rollback()
    return Counter(db.session.scalars(db.select(Delivery.state)))


def files():
    return [path.stem for path in (settings.home / "outbox").glob("*.eml")]


@pytest.mark.parametrize(
    "crash_at", ["after_claim:7", "outbox_half:31", "after_send:90", "after_record:140", "between_batches:2"]
)
def test_the_outbox_is_exactly_once(newsletter, crash_at):
    assert work("outbox:", crash_at=crash_at) == 137
    assert work("outbox:", minutes=10) == 0
    assert ledger() == {DeliveryState.SENT: RECIPIENTS}
    assert sorted(files()) == sorted(db.session.scalars(db.select(Delivery.key)))
    assert db.session.scalar(db.select(Newsletter.status)) is Status.SENT


@pytest.mark.parametrize(
    ("crash_at", "uncertain"),
    [
        ("after_claim:7", 1),
        ("before_data:60", 1),
        ("after_data:61", 1),
        ("after_send:90", 1),
        ("after_record:140", 0),
    ],
)
def test_smtp_reaches_nobody_twice(newsletter, crash_at, uncertain):
    with Sink() as sink:
        assert work(sink.url, crash_at=crash_at) == 137
        assert work(sink.url, minutes=10) == 0
        arrived = Counter(sink.recipients)
    assert set(arrived.values()) == {1}, "nobody twice"
    assert ledger() == Counter(
        {DeliveryState.SENT: RECIPIENTS - uncertain, DeliveryState.UNCERTAIN: uncertain}
    )
    sent = set(db.session.scalars(db.select(Delivery.address).where(Delivery.state == DeliveryState.SENT)))
    assert sent <= set(arrived), "who is said to have got it has got it"
    assert len(arrived) >= RECIPIENTS - uncertain


def test_two_workers_make_one_sending(newsletter):
    with Sink() as sink:
        environment = os.environ | {
            "HUB_ENV": "test",
            "HUB_HOME": str(settings.home),
            "HUB_DATABASE_URL": settings.database_url,
            "HUB_REDIS_URL": settings.redis_url,
            "HUB_MAIL_URL": sink.url,
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        command = [sys.executable, "-c", WORKER, "0"]
        workers = [subprocess.Popen(command, env=environment) for _ in range(2)]
        assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
        arrived = Counter(sink.recipients)
        assert sink.connections == 2, "both took part"
    assert len(arrived) == RECIPIENTS
    assert set(arrived.values()) == {1}
    assert ledger() == {DeliveryState.SENT: RECIPIENTS}
