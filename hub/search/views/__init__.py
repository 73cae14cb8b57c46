"""The search page for everyone, and the team's look at what people search for."""

from flask import Blueprint

bp = Blueprint("search", __name__, template_folder="../templates", url_prefix="/search")

from . import searching, solved, team  # noqa: E402

__all__ = ["bp", "searching", "solved", "team"]
