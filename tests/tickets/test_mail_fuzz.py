"""Whatever comes through the door ends as one of five outcomes, is kept, and can be shown."""

import random

from sqlalchemy import select

from hub.core import storage
from hub.core.database import db
from hub.tickets import mail_settling
from hub.tickets.models_mail import InboundMail, Outcome

from .mails import mail, receive

SEED = 20261122
ROUNDS = 120
ENDS = {Outcome.CREATED, Outcome.JOINED, Outcome.STORED, Outcome.PARKED, Outcome.DUPLICATE}
PIECES = (
    b"\r\n", b"\n\n", b"--b", b"=?koi8-r?B?", b"?=", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b";", b'"', b"<",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", b"Content-Transfer-Encoding: base64\r\n", b"charset=utf-7",
    b"Content-Type: message/rfc822\r\n\r\n", b"References: <", b"> On Mon, 2 Nov 2026 at 10:00, A <a@b.example> wrote:\r\n",
    b"Content-Disposition: attachment; filename*=koi8-r''%ff\r\n", b"From: a@b.example, c@d.example\r\n", b"<" * 300,
)  # fmt: skip


def samples(cast) -> list[bytes]:
    page = '<p>Hi <img src="cid:a"></p>' * 3
    return [
        mail(body="Привет, где комиссия?\n\n> цитата\n"),
        mail(sender="nobody@elsewhere.example", body=page).replace(b"text/plain", b"text/html"),
        mail(Auto_Submitted="auto-replied", body="Away"),
        mail(
            subject="=?utf-8?q?_[=231001]?=",
            References="<x@y.example> <z@y.example>",
            Cc="a@b.example, " * 20 + "c@d.example",
        ),
        b"Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\nFrom: MAILER-DAEMON@x.example\r\n\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nFinal-Recipient: rfc822; x@y.z\r\nAction: failed\r\n\r\n--b--\r\n",
    ]


def changed(rng: random.Random, raw: bytes) -> bytes:
    data = bytearray(raw)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at : at + rng.randint(0, 30)] = rng.choice(PIECES)
            case 1:
                data[at] = rng.randrange(256)
            case 2:
                data[at:at] = rng.choice(PIECES)
            case 3:
                del data[at : at + rng.randint(1, 200)]
                data = data or bytearray(b"x")
    return bytes(data)


def test_mails_changed_at_random_never_break_the_door(cast):
    rng = random.Random(SEED)
    given = samples(cast)
    for n in range(ROUNDS):
        raw = changed(rng, given[n % len(given)])
        report = receive(raw)
        assert report.outcome in ENDS
        assert not report.reason.startswith("broken"), (report, raw)
        if report.outcome is Outcome.DUPLICATE:
            continue
        row = db.session.scalars(select(InboundMail).order_by(InboundMail.id.desc()).limit(1)).one()
        with storage.open(row.raw_key) as stream:
            assert stream.read() == raw
        assert isinstance(mail_settling.read(row).text, str)
