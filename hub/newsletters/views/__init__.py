"""Pages: writing and sending for the team, the archive and the preferences for readers."""

from flask import Blueprint

bp = Blueprint("newsletters", __name__, template_folder="../templates")

from . import archive, preferences, report, sending, suppressions, webhook, writing  # noqa: E402

__all__ = ["archive", "bp", "preferences", "report", "sending", "suppressions", "webhook", "writing"]
