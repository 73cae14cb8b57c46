"""Pages of surveys: answering, making them, ideas."""

from . import answering, ideas, managing
from .blueprint import bp

__all__ = ["answering", "bp", "ideas", "managing"]
