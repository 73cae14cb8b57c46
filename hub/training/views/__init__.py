"""Pages of training: webinars, their attendance, courses to learn and to write."""

from . import attendance, courses, lessons, questions, quizzes, webinars, writing
from .blueprint import bp

__all__ = ["attendance", "bp", "courses", "lessons", "questions", "quizzes", "webinars", "writing"]
