"""Mail that arrives: any sequence of bytes becomes something a room can judge.

Knows messages and no room: what was written, by whom, in answer to what, and
whether a person wrote it at all.
"""

from .automatic import Automatic, Bounce
from .message import File, Received, Unreadable, as_text, parse, skim
from .quotes import split
from .returned import hears, tell

__all__ = [
    "Automatic",
    "Bounce",
    "File",
    "Received",
    "Unreadable",
    "as_text",
    "hears",
    "parse",
    "skim",
    "split",
    "tell",
]
