"""Markdown → safe HTML, in one place: articles of the team, messages of everyone."""

from .articles import Heading, Rendered, article
from .messages import message, plain
from .safe import Links
from .typed import typed

__all__ = ["Heading", "Links", "Rendered", "article", "message", "plain", "typed"]
