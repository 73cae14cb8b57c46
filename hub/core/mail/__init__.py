"""Mail that leaves the hub: written here, kept as rows, sent by the worker."""

from .compose import Letter, UnsafeHeader, compose, quoted
from .outgoing import MailMessage, MailState, queue, queue_letter
from .send import Later, Misconfigured, NotSent, Refused, Unknown, Unreachable, open_backend

__all__ = [
    "Later",
    "Letter",
    "MailMessage",
    "MailState",
    "Misconfigured",
    "NotSent",
    "Refused",
    "Unknown",
    "Unreachable",
    "UnsafeHeader",
    "compose",
    "open_backend",
    "queue",
    "queue_letter",
    "quoted",
]
