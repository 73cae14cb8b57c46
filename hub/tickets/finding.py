"""Tickets by their words: the team's through the index, a partner's own right from the table."""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from ..accounts.models import User
from ..core import fulltext
from ..core.access import visible
from ..core.database import db
from ..core.fulltext import LANGUAGES
from ..core.fulltext.languages import neighbours
from .indexing import KIND
from .models import Message, Ticket

#: The newest tickets with the words that the filters are applied to: nobody turns the pages of more.
MOST = 20_000
#: The latest messages that are looked through, and tickets that are shown.
LOOKED_AT, SHOWN = 5000, 50
LONGEST = 100
_LATIN, _CYRILLIC = re.compile("[A-Za-z]"), re.compile("[\u0400-\u04ff]")


def ids(user: User, text: str) -> list[int]:
    """Tickets in which all of the words stand, whatever language they were asked in; for the team."""
    found: set[int] = set()
    for lang in _languages(text):
        found.update(fulltext.ids(user, lang, text, KIND))
    return sorted(found)[-MOST:]


def _languages(text: str) -> Sequence[str]:
    """Those that the words may be of. Every ticket is in the index of each, so the others would find no more."""
    if _LATIN.search(text) and _CYRILLIC.search(text):
        return LANGUAGES
    return neighbours("", text) or LANGUAGES


def own(user: User, text: str) -> list[int]:
    """A partner's own tickets in which all of the words stand, in the subject or in what they may read.

    Not from the index: what is indexed of a ticket holds the team's notes too. What one partner has written is
    little enough to be read.
    """
    words = folded(text).split()
    if not words:
        return []
    tickets = visible(select(Ticket), user).order_by(Ticket.id.desc()).limit(LOOKED_AT)
    subjects = db.session.execute(tickets.with_only_columns(Ticket.id, Ticket.number, Ticket.subject))
    said = {id: [str(number), subject] for id, number, subject in subjects}
    messages = visible(select(Message), user).where(Message.moved_to_id.is_(None))
    messages = messages.order_by(Message.id.desc()).limit(LOOKED_AT)
    for id, body in db.session.execute(messages.with_only_columns(Message.ticket_id, Message.body)):
        if id in said:
            said[id].append(body)
    return [id for id, texts in said.items() if _has_all(texts, words)][:SHOWN]


def folded(text: str) -> str:
    """Text as it is compared: small letters, «е» for «ё»."""
    return text[:LONGEST].casefold().replace("ё", "е")


def _has_all(texts: Iterable[str], words: list[str]) -> bool:
    everything = " ".join(texts).casefold().replace("ё", "е")
    return all(word in everything for word in words)
