"""Pages of the knowledge base: for readers, for writers, and readers' feedback."""

from flask import Blueprint

bp = Blueprint("kb", __name__, template_folder="../templates", url_prefix="/kb")

from . import (  # noqa: E402
    categories,
    community,
    editing,
    exchange,
    feedback,
    history,
    managing,
    outside,
    printing,
    publishing,
    reading,
    translations,
    writing,
)

__all__ = [
    "bp", "categories", "community", "editing", "exchange", "feedback", "history", "managing", "outside", "printing",
    "publishing", "reading", "translations", "writing",
]  # fmt: skip
