"""Which language a question is in, as far as its letters tell."""

import re

from .words import LANGUAGES

_POLISH = "ąćęłńśźż"
_CYRILLIC = re.compile("[а-яёґєії]")
#: A language is the likelier one when words are in so many times more of its documents, as a logarithm.
MUCH_LIKELIER = 1.0
# Letters that no word of a language has.
_FOREIGN = {
    "en": re.compile(f"[а-яёґєії{_POLISH}]"),
    "ru": re.compile(f"[ґєії{_POLISH}]"),
    "uk": re.compile(f"[ёъыэ{_POLISH}]"),
    "pl": re.compile("[а-яёґєії]"),
}


def could_be(lang: str, text: str) -> bool:
    """Has the language all these letters?"""
    return not _FOREIGN[lang].search(text.lower())


def is_english(text: str) -> bool:
    """Is it in the letters that English has, and numbers alone are in no language?"""
    return bool(re.search("[A-Za-z]", text)) and could_be("en", text)


def neighbours(lang: str, text: str) -> list[str]:
    """The other languages of the same alphabet that have all these letters."""
    family = ("ru", "uk") if _CYRILLIC.search(text.lower()) else ("en", "pl")
    return [other for other in LANGUAGES if other in family and other != lang and could_be(other, text)]
