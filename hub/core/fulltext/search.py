"""The one verb of finding: read what was typed, ask the engine, mark what was found."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from ..access import is_staff
from .documents import PARTNERS, PUBLIC, STAFF, Document, Section
from .engine import Engine, IndexMissing
from .highlight import Highlighter
from .keyboard import swapped
from .question import LONGEST, SHORTEST_COMPLETED, Words, forms, understand
from .registry import sources
from .words import LANGUAGES, analyse


@dataclass(frozen=True)
class Hit:
    """A found document as it is shown: marked title and fragment, and the section that holds it."""

    document: Document
    title: Markup
    fragment: Markup
    section: Section | None
    sections: tuple[Section, ...] = ()

    @property
    def url(self) -> str:
        """The address, with the anchor of the section that answers."""
        return self.document.url + (f"#{self.section.anchor}" if self.section else "")


@dataclass(frozen=True)
class Answer:
    """What a search found. `text` and `lang` are what was really looked for, `asked` what was typed.

    `instead` maps an unknown word to the words looked for in its place. It is not `is_complete` while
    the index is being built.
    """

    asked: str
    text: str
    lang: str
    hits: list[Hit] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)
    instead: dict[str, list[str]] = field(default_factory=dict)
    is_complete: bool = True

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())

    @property
    def is_other_keyboard(self) -> bool:
        """Was the text read as typed with another keyboard layout?"""
        return self.text != self.asked


def audience_of(user: Any) -> frozenset[str]:
    """The audience tokens of a viewer: a visitor's, a partner's, or the team's, and each room's own."""
    tokens = {PUBLIC}
    if getattr(user, "is_authenticated", False):
        tokens |= {PARTNERS, STAFF} if is_staff(user) else {PARTNERS}
    for source in sources().values():
        tokens |= source.audience(user)
    return frozenset(tokens)


def search(
    engine: Engine,
    lang: str,
    text: str,
    audience: Set[str],
    *,
    kinds: Iterable[str] = (),
    limit: int = 10,
    offset: int = 0,
    typing: bool = False,
    fragments: bool = True,
) -> Answer:
    """Find what a viewer with these audience tokens may see.

    With `typing` the last word may be unfinished. A text that no document in `lang` knows a word of is
    tried with another keyboard layout and in the other languages. Raises IndexMissing.
    """
    asked = " ".join(text.replace("\x00", " ").split())[:LONGEST]
    if not asked:
        return Answer(asked, asked, lang)
    lang, text = _reading(engine, lang, asked, audience, typing)
    with engine.words(lang, audience) as words:
        question = understand(lang, text, words, typing=typing)
    found = engine.find(question, audience, frozenset(kinds), limit, offset)
    words_found = Highlighter(lang, question.terms)
    hits = [_shown(document, words_found, fragments) for document in found.documents]
    return Answer(asked, text, lang, hits, found.by_kind, question.instead if found.documents else {})


def _reading(engine: Engine, lang: str, text: str, audience: Set[str], typing: bool) -> tuple[str, str]:
    """The language and spelling in which most words are known; as typed unless nothing is known so."""
    others = [(other, text) for other in LANGUAGES if other != lang]
    for candidate in [(lang, text), *swapped(lang, text), *others]:
        try:
            with engine.words(candidate[0], audience) as words:
                if _knows(words, *candidate, typing):
                    return candidate
        except IndexMissing:
            # Another language that has no index yet is no reason to fail in this one.
            if candidate[0] == lang:
                raise
    return lang, text


def _knows(words: Words, lang: str, text: str, typing: bool) -> bool:
    tokens = list(analyse(lang, text))
    if not tokens:
        return False
    if words.known({form for token in tokens for form in forms(token)}):
        return True
    last = tokens[-1].surface
    return typing and len(last) >= SHORTEST_COMPLETED and bool(words.starting(last, 1))


def _shown(document: Document, words: Highlighter, fragments: bool) -> Hit:
    title, own = words.mark(document.title), words.share(document.title)
    shares = [(words.share(section.title), section) for section in document.sections]
    better = max(shares, key=lambda each: each[0], default=None)
    titled = better[1] if better and better[0] > own else None
    if not fragments:
        return Hit(document, title, Markup(""), titled)
    text, position = words.fragment(document.body)
    related = tuple(section for share, section in shares if share)[:3]
    return Hit(document, title, text, titled or _around(document, position), related)


def _around(document: Document, position: int | None) -> Section | None:
    """The section that a position of the body lies in."""
    if position is None:
        return None
    before = [section for section in document.sections if section.start <= position]
    return before[-1] if before else None
