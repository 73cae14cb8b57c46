"""The doors of mail against what is behind them in earnest: an IMAP server, a posted form."""

import io
import json
from email.message import EmailMessage

import pytest
from sqlalchemy import func, select

from hub.core import jobs
from hub.core.database import db
from hub.core.mail.receive.mailbox import Mailbox, MailboxAway
from hub.core.mail.receive.posted import NotAPost, raw_mail
from hub.tickets import mail_fetching, mail_in
from hub.tickets.models import Attachment, Message, Ticket
from hub.tickets.models_mail import Door, InboundMail, Outcome

from ..dovecot import Dovecot
from .mails import an_address, mail

SECRET = "a-secret-of-more-than-twenty-letters"


@pytest.fixture(scope="module")
def dovecot():
    server = Dovecot()
    yield server
    server.stop()


@pytest.fixture
def mailbox(app, cast, dovecot, monkeypatch):
    """A mailbox of this test alone, named in the settings; `mailbox(raw)` delivers into it."""
    user = an_address()
    monkeypatch.setattr(app.extensions["hub.settings"], "imap_url", dovecot.url(user))

    def deliver(*mails: bytes) -> None:
        client = dovecot.client(user)
        for raw in mails:
            client.append("INBOX", None, None, raw)
        client.logout()

    def flags() -> list[str]:
        client = dovecot.client(user)
        _, found = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [each.decode() for each in found if each]

    deliver.flags = flags
    return deliver


def outcomes() -> list[str]:
    return list(db.session.scalars(select(InboundMail.outcome).order_by(InboundMail.id)))


# --- IMAP --------------------------------------------------------------------------


def test_unread_mail_is_fetched_once_and_marked_as_read(mailbox):
    mailbox(mail(body="First"), mail(body="Second"))
    jobs.run("tickets.mail_fetch")
    assert list(db.session.scalars(select(Message.body).order_by(Message.id))) == ["First", "Second"]
    assert all(r"\Seen" in each for each in mailbox.flags())
    jobs.run("tickets.mail_fetch")
    assert db.session.scalar(select(func.count(InboundMail.id))) == 2


def test_a_mail_whose_mark_was_lost_is_not_taken_twice(mailbox, monkeypatch):
    mailbox(mail())
    with monkeypatch.context() as patch:
        patch.setattr(Mailbox, "done", lambda self, uid: None)  # the process ends before it marks the mail
        mail_fetching.fetch()
    assert r"\Seen" not in mailbox.flags()[0]
    assert mail_fetching.fetch() == {Outcome.DUPLICATE: 1}
    assert db.session.scalar(select(func.count(Ticket.id))) == 1


def test_poison_between_two_mails_stops_neither(mailbox):
    mailbox(
        mail(body="Before"),
        b"\xff\x00\xfe" * 900,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 900,
        mail(body="After"),
    )
    mail_fetching.fetch()
    assert outcomes() == ["created", "parked", "parked", "created"]


def test_a_mail_stays_unread_while_it_cannot_be_kept(mailbox, monkeypatch):
    mailbox(mail())
    with monkeypatch.context() as patch:
        patch.setattr(
            mail_in.storage, "store", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "no space"))
        )
        with pytest.raises(OSError, match="no space"):
            mail_fetching.fetch()
    assert r"\Seen" not in mailbox.flags()[0]
    mail_fetching.fetch()
    assert outcomes() == ["created"]


def test_of_a_mail_beyond_all_limits_the_head_is_fetched(mailbox, monkeypatch):
    monkeypatch.setattr(mail_fetching, "LIMIT", 3000)
    mailbox(mail(body="x" * 5000, subject="Large"))
    mail_fetching.fetch()
    row = db.session.scalars(select(InboundMail)).one()
    assert (row.outcome, row.reason, row.subject) == (Outcome.PARKED, "too_large", "Large")


def test_a_mailbox_that_is_away_is_told_and_tried_again(app, dovecot, monkeypatch):
    settings = app.extensions["hub.settings"]
    monkeypatch.setattr(settings, "imap_url", dovecot.url("someone@test.example", password="wrong"))
    with pytest.raises(MailboxAway):
        mail_fetching.fetch()
    monkeypatch.setattr(settings, "imap_url", "imap://a:b@127.0.0.1:9/INBOX")
    jobs.run("tickets.mail_fetch")  # says so in the log


# --- SendGrid's Inbound Parse -----------------------------------------------------------


@pytest.fixture
def hook(app, cast, monkeypatch):
    monkeypatch.setattr(app.extensions["hub.settings"], "mail_hook_secret", SECRET)
    app.config["WTF_CSRF_ENABLED"] = True
    yield f"/hooks/mail/{SECRET}"
    app.config["WTF_CSRF_ENABLED"] = False


def test_a_posted_mail_is_kept_and_judged(client, hook, worker):
    form = {"email": mail(body="Posted").decode(), "to": "partners@nordbill.example"}
    assert client.post(hook, data=form, content_type="multipart/form-data").status_code == 204
    assert outcomes() == ["waiting"]
    worker()
    db.session.rollback()  # as it is now, not as it was read above
    row = db.session.scalars(select(InboundMail)).one()
    assert (row.outcome, row.door) == (Outcome.CREATED, Door.HOOK)
    client.post(hook, data=form, content_type="multipart/form-data")  # a repeated post
    worker()
    assert db.session.scalar(select(func.count(InboundMail.id))) == 1


def parsed_form(**more):
    """The form without “POST the raw, full MIME message”: fields, each in the encoding the mail had."""
    headers = (
        "From: Pat <partner@example.org>\nTo: partners@nordbill.example\nSubject: =?utf-8?B?0KHRh9GR0YI=?=\n"
        "Message-ID: <parsed@example.org>\nContent-Type: multipart/mixed;\n boundary=gone\nMIME-Version: 1.0\n"
        "Date: Mon, 02 Nov 2026 10:00:00 +0100\n"
    )
    fields = {
        "headers": headers.encode(),
        "text": "Где комиссия?".encode("koi8-r"),
        "html": "<p>Где комиссия?</p>".encode(),
        "charsets": json.dumps({"text": "koi8-r", "html": "utf-8", "from": "utf-8"}).encode(),
        "envelope": b'{"to":["partners@nordbill.example"],"from":"partner@example.org"}',
        "attachments": b"1",
        "attachment-info": json.dumps(
            {"attachment1": {"filename": "заказы.csv", "type": "text/csv"}}
        ).encode(),
    } | more
    body = b"".join(
        b'--xYz\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in fields.items()
    )
    body += b'--xYz\r\nContent-Disposition: form-data; name="attachment1"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n\r\n--xYz--\r\n'
    return {"data": body, "content_type": "multipart/form-data; boundary=xYz"}


def test_a_mail_posted_in_fields_is_put_together_again(client, hook, worker):
    for _ in range(2):
        assert client.post(hook, **parsed_form()).status_code == 204
    worker()
    message = db.session.scalars(select(Message)).one()
    assert (message.body, message.mail_id) == ("Где комиссия?", "parsed@example.org")
    assert message.ticket.subject == "Счёт"
    assert db.session.scalars(select(Attachment.name)).all() == ["заказы.csv"]


def test_without_the_secret_nothing_is_taken(app, client, hook, monkeypatch):
    assert client.post(hook[:-1], data={"email": mail().decode()}).status_code == 404
    monkeypatch.setattr(app.extensions["hub.settings"], "mail_hook_secret", "")
    for address in (hook, "/hooks/mail/x"):
        assert client.post(address, data={"email": mail().decode()}).status_code == 404
    assert outcomes() == []


def test_what_is_no_form_is_refused(client, hook):
    assert client.post(hook, data="nonsense").status_code == 422
    assert client.post(hook, data=b"--x", content_type="multipart/form-data; boundary=x").status_code == 422
    assert outcomes() == []


def test_a_large_mail_passes_the_hook(client, hook, worker):
    message = EmailMessage()
    message["From"], message["Subject"] = "partner@example.org", "Large"
    message.set_content("See the file.")
    message.add_attachment(b"0123456789\n" * 2_000_000, maintype="text", subtype="plain", filename="a.txt")
    data = {"email": (io.BytesIO(message.as_bytes()), "mail.eml")}
    assert client.post(hook, data=data, content_type="multipart/form-data").status_code == 204
    worker()
    assert db.session.scalars(select(Attachment.size)).one() == 22_000_000


@pytest.mark.once
def test_a_form_that_lies_about_its_mail_becomes_some_mail():
    form = parsed_form(
        charsets=b"[1",
        envelope=b'{"to": 5}',
        headers=b"\nFrom: a@b.example\n\nX: y",
        **{"attachment-info": b'{"attachment1": 7}'},
    )
    assert raw_mail(form["content_type"], form["data"]).startswith(b"From: a@b.example\r\nX: y\r\n")
    with pytest.raises(NotAPost):
        raw_mail("multipart/form-data", b"")
