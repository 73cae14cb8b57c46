"""Mail leaves through every backend, once, and what goes wrong is recorded as what it is."""

from datetime import timedelta

import pytest
from jinja2 import ChoiceLoader, DictLoader

from hub.core import clock, i18n, jobs
from hub.core.database import db, transaction
from hub.core.mail import (
    Busy,
    Later,
    Letter,
    MailMessage,
    MailState,
    Misconfigured,
    Refused,
    Unknown,
    Unreachable,
    backend,
    outgoing,
    send,
)
from hub.core.settings import settings
from tests.sendgrid import FakeSendGrid
from tests.smtp import DROP, HANG, Sink


@pytest.fixture
def room_template(app, monkeypatch):
    """A room's template that greets."""
    text = '{% set subject = _("Hello, %(name)s", name=name) %}{% set reason = "You asked for it." %}# Hello, {{ name }}\n\n[Open]({{ url }})\n'
    loader = ChoiceLoader([DictLoader({"room/mail/test.md": text}), app.jinja_env.loader])
    monkeypatch.setattr(app.jinja_env, "loader", loader)
    app.extensions.pop("hub.mail.environment", None)
    yield "room/mail/test"
    app.extensions.pop("hub.mail.environment", None)


@pytest.fixture
def mail_url(app, monkeypatch):
    def mail_url(url):
        monkeypatch.setattr(app.extensions["hub.settings"], "mail_url", url)

    return mail_url


@pytest.fixture
def write(room_template, cast):
    def write(to=None, **values):
        with transaction():
            return outgoing.queue(
                to or cast.partner,
                room_template,
                **({"name": "Pat", "url": "https://e.org/?a=1_2&b=*"} | values),
            )

    return write


def letter(address="a@example.org"):
    return Letter("key1", address, "Ann", "Subject", "<p>.\n.</p>", "text\n.\n..\n", "en", {})


def state(message):
    db.session.rollback()  # a new look at what the worker, on its own connection, has written
    return db.session.get(MailMessage, message.id, populate_existing=True)


def outbox():
    return sorted((settings.home / "outbox").glob("*.eml"))


@pytest.fixture(autouse=True)
def _empty_outbox(app):
    for path in (settings.home / "outbox").glob("*"):
        path.unlink()


def test_the_outbox_gets_one_file_named_after_the_message(write, worker):
    message = write()
    assert state(message).state is MailState.PENDING
    worker()
    assert [path.stem for path in outbox()] == [message.key]
    assert b"Message-ID: <" + message.key.encode() in outbox()[0].read_bytes()
    assert state(message).state is MailState.SENT


def test_the_texts_are_forgotten_once_sent(write, worker):
    message = write()
    assert "https://e.org" in message.text
    worker()
    assert (state(message).html, state(message).text) == (None, None)


def test_a_transaction_that_fails_sends_nothing(cast, room_template, worker):
    def fail():
        with transaction():
            outgoing.queue(cast.partner, room_template, name="x", url="https://e.org")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    worker()
    assert outbox() == []
    assert db.session.query(MailMessage).count() == 0


def test_values_are_text_in_the_body_and_links_stay_whole(write):
    message = write(name="[x](http://evil.example) <b>")
    assert 'href="https://e.org/?a=1_2&amp;b=*"' in message.html
    assert "http://evil.example) &lt;b&gt;" in message.html
    assert 'href="http://evil' not in message.html
    assert message.subject == "Hello, [x](http://evil.example) <b>"
    assert "Open: https://e.org/?a=1_2&b=*" in message.text


def test_a_line_break_in_a_name_never_makes_a_header(write, worker):
    message = write(name="x\r\nBcc: victim@example.org")
    assert message.subject == "Hello, x Bcc: victim@example.org"
    worker()
    assert b"\r\nBcc:" not in outbox()[0].read_bytes()


def test_the_mail_speaks_its_readers_language(cast, room_template):
    with i18n.speaking("en"), transaction():
        cast.partner.locale = "ru"
        assert outgoing.queue(cast.partner, room_template, name="x", url="https://e.org").locale == "ru"
        assert outgoing.queue("a@example.org", room_template, name="x", url="https://e.org").locale == "en"


def test_the_job_is_safe_to_run_twice(write, worker):
    write()
    worker()
    before = outbox()[0].stat().st_mtime_ns
    jobs.run("mail.deliver")
    assert [path.stat().st_mtime_ns for path in outbox()] == [before]


def test_smtp_keeps_one_connection_for_many_mails(write, mail_url, worker):
    with Sink() as sink:
        mail_url(sink.url)
        for n in range(3):
            write(f"r{n}@example.org")
        worker()
        assert sorted(sink.recipients) == ["r0@example.org", "r1@example.org", "r2@example.org"]
        assert sink.connections == 1


def test_smtp_carries_the_bytes_unchanged(app, mail_url):
    with Sink() as sink:
        mail_url(sink.url)
        with send.open_backend() as way:
            way.send(letter())
        assert sink.messages()[0].get_body(("plain",)).get_content().splitlines() == ["text", ".", ".."]


def test_a_server_without_8bitmime_gets_seven_bits(app, mail_url):
    cyrillic = Letter("key1", "a@example.org", "Анна", "Тема", "<p>привет</p>", "привет\n", "ru", {})
    with Sink(extensions=()) as sink:
        mail_url(sink.url)
        with send.open_backend() as way:
            way.send(cyrillic)
        assert sink.raw[0][1].isascii()
        assert sink.messages()[0].get_body(("plain",)).get_content().strip() == "привет"


@pytest.mark.parametrize(
    ("stage", "answer", "kind"),
    [
        ("connect", "421 too busy", Unreachable),
        ("connect", "554 go away", Unreachable),
        ("ehlo", DROP, Unreachable),
        ("mail", "451 later", Later),
        ("mail", "530 sign in first", Misconfigured),
        ("rcpt", "450 greylisted", Later),
        ("rcpt", "550 no such mailbox", Refused),
        ("data", "421 closing", Later),
        ("data", "554 no", Refused),
        ("data", DROP, Unreachable),
        ("body", "452 full", Later),
        ("body", "421 closing", Later),
        ("body", "550 spam", Refused),
        ("body", DROP, Unknown),
        ("body", HANG, Unknown),
        ("rcpt", HANG, Unreachable),
    ],
)
def test_what_an_smtp_answer_means(app, mail_url, monkeypatch, stage, answer, kind):
    monkeypatch.setattr(backend, "ANSWER_TIMEOUT", 0.3)
    with Sink(lambda at, _argument: answer if at == stage else None) as sink:
        mail_url(sink.url)
        with send.open_backend() as way, pytest.raises(kind) as caught:
            way.send(letter())
        assert caught.type is kind


def test_after_a_refusal_the_connection_serves_the_next(app, mail_url):
    with Sink(lambda at, who: "550 no" if at == "rcpt" and who.startswith("bad") else None) as sink:
        mail_url(sink.url)
        with send.open_backend() as way:
            with pytest.raises(Refused):
                way.send(letter("bad@example.org"))
            way.send(letter("good@example.org"))
        assert sink.recipients == ["good@example.org"]
        assert sink.connections == 1


def test_a_kept_connection_that_went_away_is_made_anew(app, mail_url):
    with Sink() as sink:
        mail_url(sink.url)
        with send.open_backend() as way:
            way.send(letter("one@example.org"))
            way.connection.sock.shutdown(2)
            way.send(letter("two@example.org"))
        assert sink.recipients == ["one@example.org", "two@example.org"]


def test_nobody_listens(app, mail_url):
    with Sink() as sink:
        url = sink.url
    mail_url(url)
    with send.open_backend() as way, pytest.raises(Unreachable):
        way.send(letter())


def test_a_busy_server_is_tried_again_later(write, mail_url, worker):
    answers = ["451 later", None]
    with Sink(lambda at, _who: answers.pop(0) if at == "rcpt" else None) as sink:
        mail_url(sink.url)
        message = write()
        worker()
        assert (state(message).state, state(message).attempts) == (MailState.PENDING, 1)
        assert state(message).next_at > clock.now()
        jobs.run("mail.deliver")
        assert sink.recipients == []
        with clock.frozen(clock.now() + timedelta(minutes=2)):
            jobs.run("mail.deliver")
        assert sink.recipients == ["partner@example.org"]
        assert state(message).state is MailState.SENT


def test_a_refused_mail_fails_and_the_others_go(write, mail_url, worker):
    with Sink(lambda at, who: "550 nobody here" if at == "rcpt" and "bad" in who else None) as sink:
        mail_url(sink.url)
        bad, good = write("bad@example.org"), write("good@example.org")
        worker()
        assert (state(bad).state, state(bad).error) == (MailState.FAILED, "550 nobody here")
        assert state(good).state is MailState.SENT
        assert sink.recipients == ["good@example.org"]


def test_a_line_cut_after_data_is_uncertain_and_never_repeated(write, mail_url, worker):
    with Sink(lambda at, _who: DROP if at == "body" else None) as sink:
        mail_url(sink.url)
        message = write()
        worker()
        assert state(message).state is MailState.UNCERTAIN
        with clock.frozen(clock.now() + timedelta(days=1)):
            jobs.run("mail.deliver")
        assert sink.recipients == ["partner@example.org"]


def test_after_three_days_of_closed_doors_it_fails(write, mail_url, worker):
    with Sink(lambda at, _who: "451 later" if at == "rcpt" else None) as sink:
        mail_url(sink.url)
        message = write()
        with clock.frozen(clock.now() + timedelta(hours=73)):
            jobs.run("mail.deliver")
        assert state(message).state is MailState.FAILED


@pytest.mark.parametrize(
    ("url", "expected"), [("outbox:", MailState.PENDING), ("smtp://127.0.0.1:9", MailState.UNCERTAIN)]
)
def test_a_claim_of_a_dead_worker_is_settled(write, mail_url, url, expected):
    message = write()
    with transaction():
        dead = db.session.get(MailMessage, message.id)
        dead.state, dead.claimed_at, dead.next_at = (
            MailState.CLAIMED,
            clock.now(),
            clock.now() + timedelta(days=1),
        )
    mail_url(url)
    jobs.run("mail.deliver")
    assert state(message).state is MailState.CLAIMED
    with clock.frozen(clock.now() + outgoing.LEASE + timedelta(seconds=1)):
        jobs.run("mail.deliver")
    assert state(message).state is expected


def test_sendgrid_gets_both_parts_and_our_id(write, mail_url, worker, app, monkeypatch):
    with FakeSendGrid() as api:
        monkeypatch.setattr(app.extensions["hub.settings"], "sendgrid_url", api.url)
        mail_url("sendgrid:SG.secret")
        message = write(headers={"Reply-To": "Team <t@example.org>"}, unsubscribe_url="https://e.org/u")
        worker()
        sent = api.requests[0]
        personal = sent["personalizations"][0]
        assert api.keys == ["Bearer SG.secret"]
        assert personal["to"] == [{"email": "partner@example.org", "name": "Pat Partner"}]
        assert personal["custom_args"] == {"hub_id": message.key}
        assert personal["headers"]["List-Unsubscribe"] == "<https://e.org/u>"
        assert personal["headers"]["Message-ID"] == message.message_id
        assert sent["reply_to"] == {"email": "t@example.org", "name": "Team"}
        assert [part["type"] for part in sent["content"]] == ["text/plain", "text/html"]
        assert state(message).state is MailState.SENT


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Misconfigured), (429, Busy), (503, Later), (500, Unknown), (400, Refused)]
)
def test_what_a_sendgrid_answer_means(app, mail_url, monkeypatch, status, kind):
    with FakeSendGrid(status) as api:
        monkeypatch.setattr(app.extensions["hub.settings"], "sendgrid_url", api.url)
        mail_url("sendgrid:SG.secret")
        with send.open_backend() as way, pytest.raises(kind) as caught:
            way.send(letter())
        assert caught.type is kind


def test_sendgrid_unreachable_is_tried_again(app, mail_url, monkeypatch):
    with FakeSendGrid() as api:
        url = api.url
    monkeypatch.setattr(app.extensions["hub.settings"], "sendgrid_url", url)
    mail_url("sendgrid:SG.secret")
    with send.open_backend() as way, pytest.raises(Unreachable):
        way.send(letter())
