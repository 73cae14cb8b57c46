"""Pages: writing and sending for the team, the archive and the preferences for readers."""

from flask import Blueprint

bp = Blueprint("newsletters", __name__, template_folder="../templates")

from . import (  # noqa: E402
    archive,
    looking,
    monthly,
    preferences,
    report,
    segments,
    sending,
    sequences,
    subscribers,
    suppressions,
    tracking,
    webhook,
    why,
    writing,
)

__all__ = [
    "archive",
    "bp",
    "looking",
    "monthly",
    "preferences",
    "report",
    "segments",
    "sending",
    "sequences",
    "subscribers",
    "suppressions",
    "tracking",
    "webhook",
    "why",
    "writing",
]
