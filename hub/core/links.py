"""Addresses that leave the hub: in mails, feeds and calendars they start with the configured base."""

from functools import lru_cache
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, Signer

from .settings import settings


def absolute(endpoint: str, /, **values: Any) -> str:
    """The full address of an endpoint, whether or not a request is being answered.

    Never built from the request: its Host header is the visitor's word.
    """
    return settings.base_url + path(endpoint, **values)


def path(endpoint: str, /, **values: Any) -> str:
    """The address of an endpoint within the hub, whether or not a request is being answered."""
    return current_app.url_map.bind("").build(endpoint, values)


def signed(text: str, use: str) -> str:
    """The text with a signature behind it, which holds for this use alone."""
    return _signer(settings.secret_key, use).sign(text).decode()


def unsigned(text: str, use: str) -> str | None:
    """What has been signed for this use; None for anything else."""
    try:
        return _signer(settings.secret_key, use).unsign(text).decode()
    except BadSignature:
        return None


@lru_cache(maxsize=8)
def _signer(secret: str, use: str) -> Signer:
    # Its key is derived here once, not for each of a newsletter's mails.
    return Signer(Signer(secret, salt=use).derive_key(), key_derivation="none")
