"""Pages of accounts: the way in, one's own profile, everybody's administration."""

from flask import Blueprint

bp = Blueprint("accounts", __name__, template_folder="../templates")

from . import audit, confirm, entrance, links, profile, security, settings, tokens, users, visits  # noqa: E402

__all__ = [
    "audit",
    "bp",
    "confirm",
    "entrance",
    "links",
    "profile",
    "security",
    "settings",
    "tokens",
    "users",
    "visits",
]
