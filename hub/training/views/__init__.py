"""Pages of training: webinars, their attendance, courses."""

from . import attendance, courses, questions, webinars
from .blueprint import bp

__all__ = ["attendance", "bp", "courses", "questions", "webinars"]
