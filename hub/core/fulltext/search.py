"""The one verb of finding: read what was typed, ask the engine, mark what was found."""

from collections.abc import Collection, Iterable, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from ..access import is_staff
from .documents import PARTNERS, PUBLIC, STAFF, Document, Narrowing, Section
from .engine import Engine, IndexMissing
from .highlight import Highlighter
from .keyboard import swapped
from .languages import MUCH_LIKELIER, could_be, is_english, neighbours
from .question import LONGEST, Question, Reading, understand
from .registry import sources
from .words import LANGUAGES, tidy


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
    by_shelf: dict[str, int] = field(default_factory=dict)
    instead: dict[str, list[str]] = field(default_factory=dict)
    is_complete: bool = True

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())

    @property
    def is_other_keyboard(self) -> bool:
        """Was the text read as typed with another keyboard layout?"""
        return self.text != self.asked


def audience_of(user: Any, kinds: Collection[str] = ()) -> frozenset[str]:
    """The audience tokens of a viewer: a visitor's, a partner's, or the team's, and the rooms' own, of `kinds` or all."""
    tokens = {PUBLIC}
    if getattr(user, "is_authenticated", False):
        tokens |= {PARTNERS, STAFF} if is_staff(user) else {PARTNERS}
    for source in sources().values():
        if not kinds or source.kind in kinds:
            tokens |= source.audience(user)
    return frozenset(tokens)


def search(
    engine: Engine,
    lang: str,
    text: str,
    audience: Set[str],
    *,
    kinds: Iterable[str] = (),
    shelf: str = "",
    limit: int = 10,
    offset: int = 0,
    typing: bool = False,
    fragments: bool = True,
    hidden: Set[str] = frozenset(),
    insist: bool = True,
) -> Answer:
    """Find what a viewer with these audience tokens may see.

    Documents with the keys `hidden` are no answers. With `typing` the last word may be unfinished. A text of
    which another language knows more is answered in that one, and one of which nothing is known is tried with
    another keyboard layout, too; with `insist` it is in `lang` if any word is. Raises IndexMissing.
    """
    asked = _asked(text)
    if not asked:
        return Answer(asked, asked, lang)
    text, question = _understood(engine, lang, asked, audience, typing=typing, insist=insist)
    lang = question.lang
    question.hidden = frozenset(hidden)
    question.strict = frozenset(kind for kind, source in sources().items() if source.needs_all_words)
    found = engine.find(question, audience, Narrowing(frozenset(kinds), shelf), limit, offset)
    words_found = Highlighter(lang, question.terms, question.beginnings)
    hits = [_shown(document, words_found, fragments) for document in found.documents]
    instead = question.instead if found.documents else {}
    if hidden:  # a correction may come from one of them
        instead = {typed: seen for typed, its in instead.items() if (seen := words_found.seen(its))}
    return Answer(asked, text, lang, hits, found.by_kind, found.by_shelf, instead)


def ids(
    engine: Engine, lang: str, text: str, audience: Set[str], *, kind: str, hidden: Set[str]
) -> list[int]:
    """The ids of every document of a kind in which all the words stand; in no order. Raises IndexMissing."""
    asked = _asked(text)
    if not asked:
        return []
    _text, question = _understood(engine, lang, asked, audience, typing=False, insist=True)
    question.hidden = frozenset(hidden)
    return engine.ids(question, audience, kind)


def _asked(text: str) -> str:
    return " ".join(tidy(text.replace("\x00", " ")).split())[:LONGEST]


def _understood(
    engine: Engine, lang: str, asked: str, audience: Set[str], *, typing: bool, insist: bool
) -> tuple[str, Question]:
    """The text as it makes most sense, and the question that it is: as typed in `lang` unless less is known so."""
    with engine.words(lang, audience) as words:
        best = Reading.of(lang, asked, words, typing=typing)
        share = best.share(words)
        others = _other_readings(lang, asked, share, insist)
        if not others:
            return asked, understand(best, words)
    meant = asked
    readings = [(code, text, typing) for code, text in others]
    if not share and not typing:
        # What is known nowhere may be the beginning of a word, which the list while typing has found.
        readings += [(code, text, True) for code, text in [(lang, asked), *swapped(lang, asked)]]
    for code, text, unfinished in readings:
        if share and unfinished and not typing:
            break
        # Another language that has no index yet is no reason to fail in this one.
        with suppress(IndexMissing), engine.words(code, audience) as words:
            reading = Reading.of(code, text, words, typing=unfinished)
            known = reading.share(words)
            if known > share or (known == share > 0 and _is_likelier(reading, best, text)):
                best, share, meant = reading, known, text
    if not share:
        best = _without_its_letters(engine, best, asked, audience)
    with engine.words(best.lang, audience) as words:
        return meant, understand(best, words)


def _without_its_letters(engine: Engine, best: Reading, asked: str, audience: Set[str]) -> Reading:
    """The text, known in no language as it stands, in the one that knows most of it without its diacritics."""
    most = 0.0
    for lang in (best.lang, *(other for other in LANGUAGES if other != best.lang)):
        with suppress(IndexMissing), engine.words(lang, audience) as words:
            reading = Reading.of(lang, asked, words, typing=best.is_unfinished)
            if (share := reading.share_unfolded(words)) > most:
                best, most = reading, share
    return best


def _is_likelier(one: Reading, other: Reading, text: str) -> bool:
    """Of two languages that know as many words of a text: is it rather in that of `one`?"""
    return not could_be(other.lang, text) or one.familiarity() > other.familiarity() + MUCH_LIKELIER


def _other_readings(lang: str, asked: str, share: float, insist: bool) -> list[tuple[str, str]]:
    """(language, text) that a text may be instead, of which this share is known in `lang`."""
    if not share:
        return [*swapped(lang, asked), *((other, asked) for other in LANGUAGES if other != lang)]
    if insist:
        return []
    if share == 1 and could_be(lang, asked):
        # Texts of every language hold English words.
        return [("en", asked)] if lang != "en" and is_english(asked) else []
    return [(other, asked) for other in neighbours(lang, asked)]


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
