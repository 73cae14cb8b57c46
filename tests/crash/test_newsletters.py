"""A worker killed in the middle of a newsletter: nobody is missed, and nobody gets it twice."""

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from flask import current_app

from hub.accounts.models import User
from hub.core import clock, crash, jobs
from hub.core.access import Role
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.newsletters import sending, starting
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status
from tests.factories import make_member, make_partner
from tests.newsletters.factories import make_newsletter
from tests.smtp import Sink

pytestmark = pytest.mark.crash

RECIPIENTS = 200


@pytest.fixture
def newsletter(app, monkeypatch):
    """A newsletter to 200 partners, started; workers claim 20 at a time."""
    for name in ("FEWEST", "MOST"):
        monkeypatch.setattr(sending, name, BATCH)
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


def begin(mail_url, *, crash_at="", minutes=0):
    """A worker of its own, forked to be quick: its number. It sees the clock so many minutes later."""
    db.session.remove()
    number = os.fork()
    if number == 0:
        try:
            db.engine.dispose(close=False)  # these connections are the parent's
            mine = current_app.extensions["hub.settings"]
            mine.mail_url, mine.crash_at = mail_url, crash_at
            crash.arm(mine)
            with clock.frozen(clock.now() + timedelta(minutes=minutes)):
                jobs.run("newsletters.send")
            os._exit(0)
        finally:
            os._exit(1)
    return number


def end(number):
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def work(mail_url, **options):
    """Let a worker run until it ends or is killed; its exit status."""
    return end(begin(mail_url, **options))


def ledger():
    db.session.rollback()
    return Counter(db.session.scalars(db.select(Delivery.state)))


def files():
    return [path.stem for path in (settings.home / "outbox").glob("*.eml")]


def points(*names):
    """Four moments of each point, spread over the run by chance that is the same every time."""
    dice = random.Random(5)
    return [f"{name}:{dice.randint(1, most)}" for name, most in names for _ in range(4)]


#: Point → how often it is passed at most: once for each batch, or once for each letter.
BATCH = 20
BATCHES, LETTERS = RECIPIENTS // BATCH - 1, RECIPIENTS - BATCH


@pytest.mark.parametrize(
    "crash_at",
    points(
        ("after_claim", BATCHES),
        ("begun", LETTERS),
        ("outbox_half", LETTERS),
        ("after_send", LETTERS),
        ("before_record", BATCHES),
    ),
)
def test_the_outbox_is_exactly_once(newsletter, crash_at):
    assert work("outbox:", crash_at=crash_at) == 137
    assert work("outbox:") == 0
    assert ledger() == {DeliveryState.SENT: RECIPIENTS}
    assert sorted(files()) == sorted(db.session.scalars(db.select(Delivery.key)))
    assert db.session.scalar(db.select(Newsletter.status)) is Status.SENT


@pytest.mark.parametrize(
    "crash_at",
    points(
        ("after_claim", BATCHES),
        ("before_data", LETTERS),
        ("after_data", LETTERS),
        ("after_send", LETTERS),
        ("before_record", BATCHES),
    ),
)
def test_smtp_reaches_nobody_twice(newsletter, crash_at):
    with Sink() as sink:
        assert work(sink.url, crash_at=crash_at) == 137
        assert work(sink.url) == 0, "what a dead worker had claimed is settled at once"
        arrived = Counter(sink.recipients)
    assert set(arrived.values()) == {1}, "nobody twice"
    states = ledger()
    assert states.total() == RECIPIENTS, "everyone is accounted for"
    assert set(states) <= {DeliveryState.SENT, DeliveryState.UNCERTAIN}
    assert states[DeliveryState.UNCERTAIN] <= settings.mail_connections
    if crash_at.startswith(("after_claim", "before_record")):
        assert states[DeliveryState.UNCERTAIN] == 0, "nothing was under way"
    sent = set(db.session.scalars(db.select(Delivery.address).where(Delivery.state == DeliveryState.SENT)))
    assert sent <= set(arrived), "who is said to have got it has got it"
    assert len(arrived) >= RECIPIENTS - states[DeliveryState.UNCERTAIN]


def test_without_the_journal_the_claim_runs_out(newsletter):
    """On another machine, or after a restart of this one, nobody knows: the whole batch stays in doubt."""
    with Sink() as sink:
        assert work(sink.url, crash_at="after_send:30") == 137
        for path in (settings.home / "sending").glob("*.journal"):
            path.write_text("another start of the machine\n")
        assert work(sink.url) == 0
        assert ledger()[DeliveryState.CLAIMED] == BATCH, "a live worker elsewhere may hold them"
        assert work(sink.url, minutes=6) == 0
        assert ledger()[DeliveryState.UNCERTAIN] == BATCH
        assert set(Counter(sink.recipients).values()) == {1}


def test_two_workers_make_one_sending(newsletter):
    with Sink() as sink:
        assert [end(number) for number in [begin(sink.url), begin(sink.url)]] == [0, 0]
        arrived = Counter(sink.recipients)
    assert len(arrived) == RECIPIENTS
    assert set(arrived.values()) == {1}
    assert ledger() == {DeliveryState.SENT: RECIPIENTS}
    both = db.session.scalars(db.select(Delivery.claimed_by).distinct())
    assert len(list(both)) == 2, "both took part"
