"""Mails of every kind taken apart: encodings, structures, containers, programs."""

import contextlib
import random
import struct
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.mail.receive import Automatic, Unreadable, parse, skim
from hub.core.mail.receive.charsets import decode
from hub.core.mail.receive.html import sanitise, to_text
from tests.ending import ending

pytestmark = pytest.mark.once

RUSSIAN = "Здравствуйте! Не вижу комиссию за октябрь, заказ 4711. Проверьте, пожалуйста."
UKRAINIAN = "Вітаю! Не бачу комісії за жовтень, її немає у звіті. Перевірте, будь ласка."
POLISH = "Dzień dobry, nie widzę prowizji za październik. Proszę o sprawdzenie, gdzie się zgubiła."
HEAD = b"From: a@b.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"


def text_mail(body: bytes, kind=b'text/plain; charset="utf-8"', transfer=b"8bit") -> bytes:
    return (
        HEAD + b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + transfer + b"\r\n\r\n" + body
    )


# --- Encodings -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "charset"),
    [
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "cp866"),
        (UKRAINIAN, "koi8-u"),
        (UKRAINIAN, "windows-1251"),
        (POLISH, "iso-8859-2"),
        (POLISH, "windows-1250"),
        (POLISH, "utf-8"),
    ],
)
@pytest.mark.parametrize(
    "declared", ["as it is", None, "us-ascii", "iso-8859-1", "utf-8", "x-unknown", "zip", "idna"]
)
def test_words_are_read_whatever_is_declared(words, charset, declared):
    name = charset if declared == "as it is" else declared
    kind = b"text/plain" + (f"; charset={name}".encode() if name else b"")
    assert parse(text_mail(words.encode(charset), kind)).text == words


def test_a_few_broken_bytes_do_not_spoil_the_rest():
    broken = RUSSIAN.encode()[:40] + b"\xff\xfe" + RUSSIAN.encode()[40:]
    assert parse(text_mail(broken)).text.replace("\ufffd", "") == RUSSIAN


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=20)))
@settings(max_examples=150, deadline=None)
def test_any_bytes_become_some_text(data, declared):
    assert isinstance(decode(data, declared), str)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
        (b"=?UTF-8?Q?Hi=2C_=D0?= =?UTF-8?Q?=9F=D1=80?=", "Hi, Пр"),  # a letter broken between two words
        ("Привет".encode(), "Привет"),  # bare bytes, as some programs send
        ("Комиссия за октябрь".encode("cp1251"), "Комиссия за октябрь"),
        (b"=?UTF-8?B?broken", "=?UTF-8?B?broken"),
        (b"=?nonsense?B?8NLJ18XU?=", "Привет"),
        (b"a\r\n b\r\n\tc", "a b c"),
        (b"=?utf-8?B?YQANCkJjYzogeEB5?=", "a Bcc: x@y"),  # no second header, no NUL
    ],
)
def test_subjects(header, words):
    assert parse(b"From: a@b.example\r\nSubject: " + header + b"\r\n\r\nx").subject == words


# --- Heads ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("Anna <Anna@B.example>", "anna@b.example", "Anna"),
        ("anna@work.example <anna@b.example>", "anna@b.example", "anna@work.example"),
        ('"B, Anna" <anna@b.example>', "anna@b.example", "B, Anna"),
        ("B, Anna <anna@b.example>", "anna@b.example", "B, Anna"),
        ("=?utf-8?B?0JDQvdC90LA=?= <anna@b.example>", "anna@b.example", "Анна"),
        ("anna", "", ""),
        (
            "anna@b.example (<maria@k.example>)",
            "anna@b.example",
            "<maria@k.example>",
        ),  # what a name says is nobody's address
    ],
)
def test_senders(value, address, name):
    received = parse(f"From: {value}\r\n\r\nx".encode())
    assert (received.sender, received.sender_name) == (address, name)


@pytest.mark.parametrize(
    ("head", "several"),
    [
        ("From: Eve <eve@x.example>, Maria <maria@k.example>", True),
        ("From: eve@x.example\r\nFrom: maria@k.example", True),
        ('From: "maria@k.example, M." <eve@x.example>', False),
        ("From: eve@x.example <eve@x.example>\r\nFrom: Eve <EVE@x.example>", False),
    ],
)
def test_of_several_senders_none_is_believed(head, several):
    assert parse(f"{head}\r\n\r\nx".encode()).has_several_senders is several


def test_references_are_in_order_and_what_is_answered_is_last():
    head = b"References: <1@x.y> <2@x.y>\r\n <3@x.y>\r\nIn-Reply-To: <2@x.y> (Anna's mail)\r\n\r\nx"
    assert parse(b"From: a@b.example\r\n" + head).references == ("1@x.y", "3@x.y", "2@x.y")


def test_two_hundred_recipients():
    to = ",\r\n ".join(f"Person {n} <p{n}@x.example>" for n in range(200))
    assert len(parse(f"From: a@b.example\r\nTo: {to}\r\n\r\nx".encode()).recipients) == 200


@pytest.mark.parametrize("date", ["yesterday", "Mon, 99 Foo 2026", "Fri, 31 Dec 9999 23:59:59 -2359", ""])
def test_a_date_that_is_none(date):
    assert parse(f"From: a@b.example\r\nDate: {date}\r\n\r\nx".encode()).sent_at is None


# --- Structures ------------------------------------------------------------------


def test_text_is_taken_from_html_when_there_is_no_other():
    page = "<style>p{}</style><p>Hello,<br>see <a href='https://x.example/a'>this</a>.</p><ul><li>one<li>two</ul><blockquote><p>Old</p></blockquote>"
    received = parse(text_mail(page.encode(), b"text/html; charset=utf-8"))
    assert received.text == "Hello,\nsee this (https://x.example/a).\n\n• one\n• two\n\n> Old"


def test_html_says_its_charset_itself():
    page = '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r"><p>Привет</p>'.encode(
        "koi8-r"
    )
    assert parse(text_mail(page, b"text/html")).text == "Привет"


def test_lines_broken_for_the_journey_are_put_together():
    body = b"One long \r\nsentence.\r\n> Quoted \r\n> sentence.\r\n-- \r\nPat\r\n"
    text = parse(text_mail(body, b"text/plain; format=flowed")).text
    assert text == "One long sentence.\n> Quoted sentence.\n-- \nPat"


def test_a_mail_within_the_mail_becomes_a_file_with_its_files():
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "x@y.example", "Счёт"
    inner.set_content("Внутри")
    inner.add_attachment(b"PNG", maintype="image", subtype="png", filename="in.png")
    outer = EmailMessage()
    outer["From"] = "a@b.example"
    outer.set_content("Look:")
    outer.add_attachment(inner)
    received = parse(outer.as_bytes())
    assert received.text == "Look:"
    assert [file.name for file in received.files] == ["Счёт.txt", "in.png"]
    assert "Внутри" in received.files[0].content.decode()


def test_what_is_signed_or_encrypted():
    def mail(kind, *parts):
        body = b"".join(
            b"--b\r\nContent-Type: " + head + b"\r\n\r\n" + text + b"\r\n" for head, text in parts
        )
        return HEAD + b"Content-Type: " + kind + b'; boundary="b"\r\n\r\n' + body + b"--b--\r\n"

    signed = parse(
        mail(
            b"multipart/signed", (b"text/plain", b"Hi"), (b'application/pgp-signature; name="s.asc"', b"---")
        )
    )
    assert (signed.text, signed.files, signed.is_encrypted) == ("Hi", [], False)
    sealed = parse(
        mail(
            b"multipart/encrypted",
            (b"application/pgp-encrypted", b"Version: 1"),
            (b'application/octet-stream; name="encrypted.asc"', b"-----BEGIN PGP MESSAGE-----"),
        )
    )
    assert sealed.is_encrypted
    assert [file.name for file in sealed.files] == ["file", "encrypted.asc"]


def winmail(*files: tuple[str, bytes], body=b"") -> bytes:
    def attribute(identity, value):
        return struct.pack("<BII", 2, identity, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    def properties(name):
        data = name.encode("utf-16-le") + b"\0\0"
        padded = data + b"\0" * (-len(data) % 4)
        return struct.pack("<IHHI", 1, 0x1F, 0x3707, 1) + struct.pack("<I", len(data)) + padded

    out = struct.pack("<IH", 0x223E9F78, 1)
    if body:
        out += attribute(0x0002800C, body + b"\0")
    for name, content in files:
        out += attribute(0x00069002, b"\0" * 14) + attribute(0x00018010, b"SHORT~1.TXT\0")
        out += attribute(0x0006800F, content) + attribute(0x00069005, properties(name))
    return out


def a_winmail(data: bytes) -> bytes:
    message = EmailMessage()
    message["From"] = "a@b.example"
    message.set_content("")
    message.add_attachment(data, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    return message.as_bytes()


def test_winmail_is_unpacked():
    received = parse(a_winmail(winmail(("Отчёт.txt", b"one"), ("b.bin", b"two"), body=b"Hello")))
    assert received.text == "Hello"
    assert [(file.name, file.content) for file in received.files] == [
        ("Отчёт.txt", b"one"),
        ("b.bin", b"two"),
    ]


def test_a_damaged_winmail_stays_a_file():
    assert [file.name for file in parse(a_winmail(b'x\x9f>"\1' * 40)).files] == ["winmail.dat"]


def test_a_winmail_cut_anywhere_breaks_nothing():
    whole = winmail(("a.txt", b"one"), body=b"Hello")
    for end in range(0, len(whole), 3):
        files = parse(a_winmail(whole[:end])).files
        assert {file.name for file in files} <= {"a.txt", "SHORT~1.TXT", "winmail.dat"}


def test_twenty_five_megabytes_are_read_in_seconds():
    message = EmailMessage()
    message["From"] = "a@b.example"
    message.set_content("Big")
    message.add_attachment(bytes(25_000_000), maintype="application", subtype="zip", filename="a.zip")
    raw = message.as_bytes()
    with ending():
        received = parse(raw)
    assert (received.text, len(received.files[0].content)) == ("Big", 25_000_000)


def nested(depth: int) -> bytes:
    kind = b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n'
    return HEAD + b"".join(kind % (n, n) for n in range(depth)) + b"\r\nx\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        nested(3000),
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        text_mail(b"<div>" * 100_000, b"text/html"),
        text_mail(b"<a <!-- &" * 50_000, b"text/html"),
        text_mail(b"On " * 50_000),
        text_mail(b"> \r\n \r\n" * 40_000),
        HEAD + b"References: " + b"<" * 90_000 + b"\r\n\r\nx",
        HEAD + b"To: " + b'"(' * 20_000 + b"\r\n\r\nx",
        HEAD + b"X: " + b"=?utf-8?q?" * 20_000 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n\r\nx",
        HEAD + b"Content-Type: text/plain" + b"; a*0*=x" * 200_000 + b"\r\n\r\nx",
        text_mail(b" " * 400_000 + b"x"),
    ],
    ids=[
        "parts",
        "mails",
        "divs",
        "tags",
        "words",
        "quotes",
        "ids",
        "addresses",
        "header",
        "subject",
        "parameters",
        "spaces",
    ],
)
def test_what_is_made_to_last_for_ever_ends(raw):
    with ending(), contextlib.suppress(Unreadable):
        parse(raw)


@pytest.mark.parametrize("raw", [b"", b" \r\n\r\n", b"\0\0\0"])
def test_what_is_no_mail_says_so(raw):
    with pytest.raises(Unreadable):
        parse(raw)
    assert skim(raw).sender == ""


# --- HTML --------------------------------------------------------------------------


def test_a_page_of_a_mail_can_do_nothing():
    page = (
        "<script>alert(1)</script><p onclick=x style='position:fixed;color:red;background:url(http://t.example)'>Hi"
        "<img src='http://t.example/p.png'><img src='cid:a'><a href='javascript:x'>l</a><a href='data:text/html,x'>m</a>"
        "<form action=/x><input name=y></form><iframe src=//t.example></iframe><meta http-equiv=refresh content=0>"
    )
    clean = str(sanitise(page, lambda source: "data:image/png;base64,AA" if source == "cid:a" else None))
    assert 'src="data:image/png;base64,AA"' in clean
    assert '<p style="color:red">' in clean
    for bad in (
        "t.example",
        "script",
        "onclick",
        "position",
        "javascript",
        "<form",
        "<input",
        "iframe",
        "meta",
        "text/html",
    ):
        assert bad not in clean


def test_a_page_without_bottom_is_shown_as_text():
    with ending():
        assert str(sanitise("<div>" * 50_000 + "deep", lambda _source: None)) == "<pre>deep</pre>"


@given(st.text(alphabet="<>/abp!-\"'= &;\n", max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_html_becomes_text(source):
    assert isinstance(to_text(source), str)


# --- Programs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Automatic reply: x",
        "Automatic reply is broken in the hub",
        "Out of office hours nobody answers",
        "Автоответ не приходит",
        "Автоматична відповідь не зникає",
        "AUTO: leasing partner sale",
        "Undeliverable invoices",
    ],
)
def test_a_human_mail_is_nobodys_program(subject):
    head = "Precedence: normal\r\nAuto-Submitted: no\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\nReturn-Path: <a@b.example>"
    words = "Thanks!\r\n> ##- Please type your reply above this line -##\r\n"
    received = parse(f"From: a@b.example\r\nSubject: {subject}\r\n{head}\r\n\r\n{words}".encode())
    assert received.automatic is None


def a_multipart(kind: str, part: str, head: str = "From: a@b.example") -> bytes:
    plain = "Content-Type: text/plain\r\n\r\nwords"
    lines = [head, f"Content-Type: {kind}; boundary=b", "", "--b", plain, "--b", part, "--b--", ""]
    return "\r\n".join(lines).encode()


CALENDAR = "Content-Type: text/calendar; charset=utf-8; method={}\r\n{}\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR"
MDN = "Content-Type: message/disposition-notification\r\n\r\nDisposition: x; displayed"


@pytest.mark.parametrize(
    ("raw", "automatic"),
    [
        (a_multipart("multipart/report; report-type=disposition-notification", MDN), Automatic.RECEIPT),
        (a_multipart("multipart/mixed", MDN), Automatic.RECEIPT),
        (a_multipart("multipart/alternative", CALENDAR.format("REPLY", "")), Automatic.RECEIPT),
        (a_multipart("multipart/alternative", CALENDAR.format("REQUEST", "")), None),
        (a_multipart("multipart/mixed", CALENDAR.format("REPLY", "Content-Disposition: attachment\r\n")), None),
        (b"From: a@b.example\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:x", Automatic.RECEIPT),
        (b"From: a@b.example\r\n\r\n##- Please type your reply above this line -##\r\n\r\nx", Automatic.REPLY),
        (b"From: a@b.example\r\nSubject: AUTO: Pat is out of the office (returning 9.11.)\r\n\r\nx", Automatic.REPLY),
        (b"From: MAILER-DAEMON@mx.example\r\nSubject: Warning: delayed\r\n\r\nx", Automatic.BOUNCE),
        (b"From: postmaster@mx.example\r\nSubject: Commission\r\n\r\nx", None),
    ],
)  # fmt: skip
def test_what_programs_write_for_people(raw, automatic):
    assert parse(raw).automatic is automatic


def test_a_report_in_words_alone_names_the_mail_that_it_is_about():
    head = (
        "From: Mailer-Daemon@mx.example\r\nX-Failed-Recipients: p@x.example\r\nSubject: Mail delivery failed"
    )
    words = "A copy of the message:\r\n\r\nMessage-ID: <t1.2.3.x@nordbill.example>\r\nSubject: Re: x\r\n"
    (bounce,) = parse(f"{head}\r\n\r\n{words}".encode()).bounces
    assert (bounce.recipient, bounce.original, bounce.is_final) == (
        "p@x.example",
        "<t1.2.3.x@nordbill.example>",
        True,
    )


# --- Anything ----------------------------------------------------------------------------


def test_mails_changed_at_random_never_break_the_parser():
    rng = random.Random(20261102)
    samples = [
        nested(5),
        a_winmail(winmail(("a.txt", b"one"), body=b"Hello")),
        text_mail(RUSSIAN.encode("koi8-r"), b"text/plain; charset=koi8-r; format=flowed"),
        text_mail(b"<p>Hi<img src=cid:a></p>", b"text/html; charset=utf-8", b"quoted-printable"),
        b'From: a@b.example\r\nContent-Type: multipart/report; report-type="delivery-status"; boundary=b\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nFinal-Recipient: rfc822; x@y.z\r\nAction: failed\r\n\r\n--b--",
    ]
    pieces = [
        b"\r\n",
        b"\n\n",
        b"--b",
        b"boundary=",
        b"charset*0*=x''%ff",
        b"=?",
        b"?=",
        b";",
        b'"',
        b"\x00",
        b"\xff",
        b"filename*=utf-16''%00%d8",
    ]
    for n in range(1500):
        raw = bytearray(samples[n % len(samples)])
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(raw))
            if rng.random() < 0.5:
                raw[at : at + rng.randint(0, 6)] = rng.choice(pieces)
            else:
                raw[at] = rng.randrange(256)
        with contextlib.suppress(Unreadable):
            parse(bytes(raw))
