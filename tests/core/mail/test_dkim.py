"""Mails are signed so that another's code finds them genuine, and changed ones not."""

import base64
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hub.core.mail import Letter, Misconfigured, send
from hub.core.mail.compose import one_click
from hub.core.mail.dkim import Signer
from tests.smtp import Sink

pytestmark = pytest.mark.once

PRIVATE = rsa.generate_private_key(65537, 1024)


@pytest.fixture
def configure(app, monkeypatch, tmp_path):
    def configure(url, key=PRIVATE):
        path = tmp_path / "dkim.pem"
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        for name, value in {"mail_url": url, "dkim_key": str(path), "dkim_selector": "hub"}.items():
            monkeypatch.setattr(app.extensions["hub.settings"], name, value)

    return configure


def published(name, **_options):
    """What DNS says."""
    assert name == b"hub._domainkey.nordbill.example."
    octets = PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(octets)


@pytest.mark.parametrize("extensions", [("8BITMIME",), ()])
def test_what_leaves_is_signed_as_it_arrives(app, configure, extensions):
    letter = Letter(
        "key1",
        "a@example.org",
        "Zażółć",
        "Новости партнёрской программы: " * 5,
        "<p>\tДва  пробела \n.\n</p>\n\n\n",
        "текст \n.\n..\n\n\n",
        "ru",
        one_click(f"https://hub.example/u/token{'x' * 200}"),
    )
    with Sink(extensions=extensions) as sink:
        configure(sink.url)
        with app.app_context(), send.open_backend() as backend:
            backend.send(letter)
        [(_address, raw)] = sink.raw
    assert raw.startswith(b"DKIM-Signature: ")
    assert dkim.verify(raw, dnsfunc=published)
    assert f"\r\nList-Unsubscribe: <https://hub.example/u/token{'x' * 200}>\r\n".encode() in raw
    for before, after in (
        ("текст".encode() if extensions else b"Content-Transfer", b"else"),
        (b"/u/token", b"/u/other"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=No"),
        (b"From: ", b"From: x@evil.example\r\nFrom: "),
    ):
        assert before in raw
        assert not dkim.verify(raw.replace(before, after), dnsfunc=published), before


def test_only_spaces_and_tabs_are_spaces(app, configure):
    configure("outbox:")
    raw = "From: a@nordbill.example\r\nSubject: 5\u00a0\u00a0%\x0c\x0c \t off\r\n\r\nbody\r\n".encode()
    with app.app_context():
        signer = Signer(Path(app.extensions["hub.settings"].dkim_key), "hub")
        assert dkim.verify(signer.signed(raw), dnsfunc=published)


def test_another_kind_of_key_is_said_to_be_wrong(app, configure):
    configure("smtp://127.0.0.1:1", ec.generate_private_key(ec.SECP256R1()))
    with app.app_context(), pytest.raises(Misconfigured, match="RSA"), send.open_backend():
        pass
