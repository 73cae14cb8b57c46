"""What the knowledge base keeps."""

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
