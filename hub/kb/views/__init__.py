"""Pages of the knowledge base: for readers, for writers, and readers' feedback."""

from flask import Blueprint

bp = Blueprint("kb", __name__, template_folder="../templates", url_prefix="/kb")

from . import categories, editing, feedback, history, managing, publishing, reading, translations, writing  # noqa: E402

__all__ = [
    "bp", "categories", "editing", "feedback", "history", "managing", "publishing", "reading", "translations", "writing",
]  # fmt: skip
