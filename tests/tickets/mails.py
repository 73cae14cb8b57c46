"""Mails to test with, written by hand where it matters what is on the line."""

import itertools
from email.message import EmailMessage

from hub.tickets.mail_in import Report, receive_mail
from hub.tickets.models_mail import Door

_numbers = itertools.count(1)


def an_address() -> str:
    return f"someone{next(_numbers)}@elsewhere.example"


def mail(
    sender="partner@example.org", body="Where is my commission?", subject="Commission", **headers
) -> bytes:
    """A plain mail; a header's `_` is its `-`, and None leaves out one that is there otherwise."""
    n = next(_numbers)
    message = EmailMessage()
    given = {
        "From": sender,
        "To": "partners@nordbill.example",
        "Subject": subject,
        "Message-ID": f"<mail{n}@example.org>",
        "Date": "Mon, 02 Nov 2026 10:00:00 +0100",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in given.items():
        if value is not None:
            message[name] = value
    message.set_content(body)
    return message.as_bytes()


def receive(raw: bytes) -> Report:
    return receive_mail(raw, Door.COMMAND)
