"""Mail that leaves the hub: written here, kept as rows, sent by the worker."""

from .backend import Busy, Later, Misconfigured, NotSent, Refused, Unknown, Unreachable
from .compose import Letter, UnsafeHeader, compose, quoted
from .outgoing import MailMessage, MailState, queue, queue_letter
from .send import open_backend, open_backends

__all__ = [
    "Busy",
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
    "open_backends",
    "queue",
    "queue_letter",
    "quoted",
]
