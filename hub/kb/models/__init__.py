"""What the knowledge base keeps."""

from . import exchange, writing  # noqa: F401 - their tables belong to the database
from .articles import (
    Article,
    ArticleReader,
    Audience,
    Category,
    Feedback,
    Reason,
    Redirect,
    Revision,
    Status,
    Translation,
    readable_by,
)

__all__ = [
    "Article", "ArticleReader", "Audience", "Category", "Feedback", "Reason", "Redirect", "Revision", "Status",
    "Translation", "readable_by",
]  # fmt: skip
