"""Addresses that leave the hub: in mails, feeds and calendars they start with the configured base."""

from typing import Any

from flask import current_app

from .settings import settings


def absolute(endpoint: str, /, **values: Any) -> str:
    """The full address of an endpoint, whether or not a request is being answered.

    Never built from the request: its Host header is the visitor's word.
    """
    return settings.base_url + path(endpoint, **values)


def path(endpoint: str, /, **values: Any) -> str:
    """The address of an endpoint within the hub, whether or not a request is being answered."""
    return current_app.url_map.bind("").build(endpoint, values)
