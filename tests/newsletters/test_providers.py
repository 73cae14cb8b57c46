"""Many letters at once: one request of SendGrid, one go at an SMTP server."""

from datetime import timedelta

import pytest

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.core.mail import Letter, queue_letter
from hub.core.settings import settings
from hub.newsletters import ledger, starting, tasks
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status
from tests.sendgrid import FakeSendGrid
from tests.smtp import Sink

from .factories import ENGLISH, RUSSIAN, make_audience, make_newsletter


@pytest.fixture
def mail_url(app, monkeypatch):
    def mail_url(url, **others):
        for name, value in ({"mail_url": url} | others).items():
            monkeypatch.setattr(app.extensions["hub.settings"], name, value)

    return mail_url


def begin(author, *contents):
    with transaction():
        newsletter = make_newsletter(author, *contents)
    with transaction():
        starting.start(db.session.get(Newsletter, newsletter.id))
    return newsletter


def filled(request, personal, part):
    """What SendGrid makes of a part for one reader."""
    text = request["subject"] if part == "subject" else request["content"][part]["value"]
    for tag, words in personal.get("substitutions", {}).items():
        text = text.replace(tag, words)
    return text


def test_sendgrid_gets_one_request_a_language_and_fills_in_what_we_would(manager, cast, mail_url, worker):
    body = "Hello **{user.first_name|there}**, [look](https://example.org/?who={partner.name})"
    with transaction():
        make_audience(3, "ru")
        cast.acme.name = 'A&B "x" <i>'
    with FakeSendGrid() as api:
        mail_url("sendgrid:SG.key", sendgrid_url=api.url)
        newsletter = begin(manager, ENGLISH | {"body": body}, RUSSIAN)
        worker()
        requests = api.requests
    assert sorted(len(each["personalizations"]) for each in requests) == [2, 3]
    keys = set(db.session.scalars(db.select(Delivery.key)))
    everyone = [each for request in requests for each in request["personalizations"]]
    assert {each["custom_args"]["hub_id"] for each in everyone} == keys
    assert all(each["headers"]["List-Unsubscribe-Post"] for each in everyone)
    [english] = [each for each in requests if len(each["personalizations"]) == 2]
    [pat] = [each for each in english["personalizations"] if each["to"][0]["email"] == "partner@example.org"]
    assert filled(english, pat, "subject") == 'News for A&B "x" <i>'
    assert "Hello Pat, look (https://example.org/?who=A%26B%20%22x%22%20%3Ci%3E)" in filled(english, pat, 0)
    page = filled(english, pat, 1)
    assert "Pat</strong>" in page
    assert "?who=A%26B%20%22x%22%20%3Ci%3E" in page
    assert pat["headers"]["List-Unsubscribe"].strip("<>") in page
    assert ledger.counts(newsletter.id)["sent"] == 5


def test_one_address_that_sendgrid_refuses_fails_alone(manager, cast, mail_url, worker, monkeypatch):
    with transaction():
        make_audience(6)
    with FakeSendGrid() as api:
        api.refuses = "reader4-en@example.org"
        mail_url("sendgrid:SG.key", sendgrid_url=api.url)
        newsletter = begin(manager, ENGLISH)
        worker()
        reached = [each["to"][0]["email"] for request in api.requests for each in request["personalizations"]]
    assert len(reached) == len(set(reached)) == 7
    failed = db.session.scalars(db.select(Delivery).filter_by(state=DeliveryState.FAILED)).all()
    assert [each.address for each in failed] == ["reader4-en@example.org"]
    assert ledger.counts(newsletter.id)["sent"] == 7


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
def test_a_provider_that_asks_to_wait_is_left_alone_until_then(manager, cast, mail_url, worker, header):
    """By newsletters and single mails alike, and nobody is called for it."""
    now = clock.now()
    with transaction():
        make_audience(10)
    with FakeSendGrid(429) as api, clock.frozen(now):
        until = now + timedelta(minutes=5)
        api.headers = {header: "300" if header == "Retry-After" else str(int(until.timestamp()))}
        mail_url("sendgrid:SG.key", sendgrid_url=api.url)
        newsletter = begin(manager, ENGLISH)
        worker()
        assert len(api.keys) == 1
        waiting = set(db.session.scalars(db.select(Delivery.next_at)))
        with transaction():
            queue_letter(Letter("k1", "a@example.org", "A", "Hi", "<p>Hi", "Hi", "en"), "test")
        with clock.frozen(until - timedelta(minutes=1)):
            worker()
            tasks.send()
        assert len(api.keys) == 1, "not asked again before"
        api.status = 202
        with clock.frozen(until + timedelta(minutes=1)):  # the connections have clocks of their own
            tasks.send()
            jobs.run("mail.deliver")
        assert sum(len(each["personalizations"]) for each in api.requests) == 13
    db.session.rollback()
    [wanted] = waiting
    assert abs(wanted - until) < timedelta(minutes=1)
    assert db.session.get(Newsletter, newsletter.id).status is Status.SENT


def test_commands_travel_together_where_the_server_takes_that(manager, cast, mail_url, worker):
    """A refusal among them costs only its own letter, whether the server still waits for a message or not."""

    def script(stage, who):
        return "550 nobody" if stage == "rcpt" and who.startswith(("reader1", "reader3")) else None

    before = set((settings.home / "sending").glob("*"))
    with transaction():
        make_audience(5)
    with Sink(script, extensions=("8BITMIME", "PIPELINING")) as sink:
        mail_url(sink.url, mail_connections=1)
        newsletter = begin(manager, ENGLISH)
        worker()
        arrived = [address for address, raw in sink.raw if raw]
    counts = ledger.counts(newsletter.id)
    assert (counts["sent"], counts["failed"]) == (5, 2)
    assert len(arrived) == len(set(arrived)) == 5
    assert not {"reader1-en@example.org", "reader3-en@example.org"} & set(arrived)
    assert sink.connections == 1
    assert set((settings.home / "sending").glob("*")) <= before  # this sending left no journal behind
