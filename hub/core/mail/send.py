"""Which way mail goes out: `HUB_MAIL_URL` says."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ..crash import crash_point
from ..settings import Settings, settings
from .backend import Backend, Misconfigured, Unreachable
from .compose import Letter
from .dkim import Signer
from .sendgrid import SendGrid
from .smtp import Smtp


class Outbox(Backend):
    """One file per letter under `HOME/outbox`, named after its Message-ID."""

    repeatable = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, letter: Letter) -> None:
        target = self.folder / f"{letter.key}.eml"
        if target.exists():
            return
        half = target.with_suffix(f".{os.getpid()}.part")
        try:
            half.write_bytes(letter.as_bytes())
            crash_point("outbox_half")
            half.rename(target)
        except OSError as error:
            raise Unreachable(f"outbox: {error.strerror}") from error


def make_backend(settings: Settings) -> Backend:
    """The backend that `HUB_MAIL_URL` names."""
    scheme, _, rest = settings.mail_url.partition(":")
    if scheme == "outbox":
        return Outbox(settings.home / "outbox")
    if scheme in ("smtp", "smtps"):
        signer = Signer(Path(settings.dkim_key), settings.dkim_selector) if settings.dkim_key else None
        return Smtp(urlsplit(settings.mail_url), signer)
    if scheme == "sendgrid":
        return SendGrid(rest.lstrip("/"), settings.sendgrid_url)
    raise Misconfigured(f"HUB_MAIL_URL: {scheme} is not known")


@contextlib.contextmanager
def open_backend() -> Iterator[Backend]:
    """The backend of this hub, its connection kept for the length of the block."""
    backend = make_backend(settings)
    try:
        yield backend
    finally:
        backend.close()


@contextlib.contextmanager
def open_backends() -> Iterator[list[Backend]]:
    """The backend of this hub as often as it keeps connections."""
    backends = [make_backend(settings) for _ in range(settings.mail_connections)]
    try:
        yield backends
    finally:
        for backend in backends:
            backend.close()
