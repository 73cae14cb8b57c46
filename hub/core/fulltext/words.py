"""Words of four languages: text becomes tokens whose terms are the same for every inflected form.

The index, the query and the highlighter all call `analyse`, so what is found can always be marked.
Dictionaries load at the first word of their language (together about 70 MB) and are never unloaded.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from .. import lean
from . import on_disk

LANGUAGES = ("en", "ru", "uk", "pl")

#: Characters of a word; what is longer was not written to be found, and PostgreSQL refuses 2 KB.
LONGEST = 200
_APOSTROPHES = "'’ʼ`‘‛´′＇"
# In a word but no letter of it: accents that stand apart, soft hyphens, characters of no width.
_MARKS = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"
# Letters and digits, with an apostrophe allowed inside: п’ять, don't. An address is one word.
_PLAIN_WORD = rf"[^\W_]+(?:[{_APOSTROPHES}][^\W_]+)*"
_MARKED_WORD = rf"[^\W_]+(?:(?:[{_MARKS}]+[{_APOSTROPHES}]?|[{_APOSTROPHES}])[^\W_]+)*[{_MARKS}]*"
_ADDRESS = r"\w[\w.+-]{0,63}@\w[\w-]{0,62}(?:\.\w[\w-]{0,62}){1,4}"
_WORD = re.compile(_PLAIN_WORD)
_ANYTHING = re.compile(f"{_ADDRESS}|{_MARKED_WORD}")
_SAME_LETTER = str.maketrans({"ё": "е"} | dict.fromkeys(_APOSTROPHES, "'"))
_MARK = re.compile(f"[{_MARKS}]")
_HYPHENS = str.maketrans("\u2010\u2011", "--")
_CYRILLIC = re.compile("[а-яґєії]")

# How people write without their own keyboard: letters that may stand for each other.
_FOLD: dict[str, dict[int, Any]] = {
    "en": str.maketrans({"'": None}),
    "ru": str.maketrans({"'": None, "ъ": "ь"}),
    "uk": str.maketrans({"'": None, "ґ": "г", "ї": "і", "є": "е", "i": "і", "и": "і", "ы": "і", "э": "е"}),
    "pl": str.maketrans("ąćęłńóśźż", "acelnoszz"),
}

# The analysers keep state while they work, and the web server has threads.
_one_at_a_time = threading.RLock()


class Token(NamedTuple):
    """A word of a text: its normal forms, how it is written, and where (`text[start:end]`)."""

    terms: tuple[str, ...]
    surface: str
    start: int
    end: int


def analyse(lang: str, text: str) -> Iterator[Token]:
    """Yield the words of `text` in order, each with all its possible normal forms in `lang`."""
    for match in written(text):
        surface, forms = look_up(lang, match.group())
        yield Token(forms, surface, match.start(), match.end())


def written(text: str) -> Iterator[re.Match[str]]:
    """Yield the words of `text` as they stand there, without looking any up."""
    return (match for match in _words_in(text).finditer(text) if match.end() - match.start() <= LONGEST)


def words_of(text: str) -> set[str]:
    """The different words of `text` as they stand there."""
    return {word for word in set(_words_in(text).findall(text)) if len(word) <= LONGEST}


def places_of(some: Container[str], text: str) -> list[re.Match[str]]:
    """Where any of these words stand in `text`."""
    return [match for match in _words_in(text).finditer(text) if match[0] in some]


def is_address(word: str) -> bool:
    """Is it an e-mail address, which has no other forms?"""
    return "@" in word


def _words_in(text: str) -> re.Pattern[str]:
    return _ANYTHING if "@" in text or _MARK.search(text) else _WORD


def tidy(text: str) -> str:
    """What was typed or pasted, without what cannot be seen in it."""
    return _MARK.sub("", unicodedata.normalize("NFC", text)).translate(_HYPHENS)


def spelled(word: str) -> str:
    """A word as the index knows it: in lower case, with one letter for those that stand for each other."""
    word = word.lower()
    return (word if word.isalnum() else tidy(word)).translate(_SAME_LETTER)


def fold(lang: str, word: str) -> str:
    """The word as somebody without the language's keyboard would type it: zgloszenie, їх → іх."""
    return word.translate(_FOLD[lang])


@lru_cache(maxsize=40_000)
def look_up(lang: str, word: str) -> tuple[str, tuple[str, ...]]:
    """A word as written → its normalised spelling and all its normal forms, at least one, without repeats."""
    surface = spelled(word)
    if is_address(surface):
        return surface, (surface,)
    with _one_at_a_time:
        return surface, tuple(dict.fromkeys(_normal_forms(lang)(surface))) or (surface,)


def terms(lang: str, word: str) -> tuple[str, ...]:
    """All normal forms of one word."""
    return look_up(lang, word)[1]


@lru_cache(maxsize=4_000)
def beginnings(lang: str, word: str) -> frozenset[str]:
    """The first letters of every form a word may take: человек begins as людей, too."""
    word = word.lower().translate(_SAME_LETTER)
    if lang == "pl":
        return frozenset(_polish_beginnings(word))
    with _one_at_a_time:
        return frozenset(form[:2].lower().translate(_SAME_LETTER) for form in (word, *_forms(lang, word)))


def begins(lang: str, word: str) -> str:
    """The first letters of a word, to look for among `beginnings`."""
    return spelled(word)[: _letters(lang)]


class Beginnings:
    """First letters of words, to look for among the words of many texts; quick where a word is letters only."""

    def __init__(self, lang: str, some: Iterable[str]) -> None:
        self._lang, self._letters = lang, _letters(lang)
        self._spelled = frozenset(some)
        self._written = {"".join(each) for begin in some for each in product(*map(_ways_to_write, begin))}

    def among(self, words: Iterable[str]) -> list[str]:
        """Those of the words that begin so."""
        letters, written = self._letters, self._written
        return [
            word
            for word in words
            if word[:letters] in written or (not word.isalnum() and begins(self._lang, word) in self._spelled)
        ]


def _letters(lang: str) -> int:
    return 1 if lang == "pl" else 2


def _ways_to_write(letter: str) -> str:
    return "еЕёЁ" if letter == "е" else letter + letter.upper()


def warm_up() -> None:
    """Load every dictionary now rather than during somebody's first search."""
    for lang in LANGUAGES:
        terms(lang, "a")


@cache
def _normal_forms(lang: str) -> Callable[[str], list[str]]:
    return {"en": _english, "ru": _russian, "uk": _ukrainian, "pl": _polish}[lang]


@cache
def _snowball(language: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(language)


@cache
def _pymorphy(lang: str) -> Any:
    import pymorphy3

    # Which reading of a word is the likelier is of no use here, and takes 6 MB to know.
    analyser = pymorphy3.MorphAnalyzer(lang=lang, probability_estimator_cls=None)
    dictionary = analyser.dictionary
    on_disk.leave(dictionary.words, Path(dictionary.path, "words.dawg"))
    for number, endings in enumerate(dictionary.prediction_suffixes_dawgs):
        on_disk.leave(endings, Path(dictionary.path, f"prediction-suffixes-{number}.dawg"))
    lean.tidy()
    return analyser


@cache
def _morfeusz() -> Any:
    import morfeusz2

    analyser = morfeusz2.Morfeusz(generate=False)  # the other direction would take 18 MB more
    lean.tidy()
    return analyser


def _forms(lang: str, word: str) -> Iterator[str]:
    if lang == "en":
        yield from (word[:1] + "i", word[:1] + "y")  # die, dying
    elif _CYRILLIC.search(word):
        yield from (form.word for parse in _pymorphy(lang).parse(word) for form in parse.lexeme)


def _english(word: str) -> list[str]:
    return [_snowball("english").stemWord(word)]


def _russian(word: str) -> list[str]:
    if not _CYRILLIC.search(word):
        return _english(word)
    stem = _snowball("russian").stemWord
    return [stem(parse.normal_form.translate(_SAME_LETTER)) for parse in _pymorphy("ru").parse(word)]


def _ukrainian(word: str) -> list[str]:
    if not _CYRILLIC.search(word):
        return _english(word)
    return [parse.normal_form.translate(_SAME_LETTER) for parse in _pymorphy("uk").parse(word)]


# Case endings that loanwords take before any dictionary knows them: hooki, hookiem, hooków.
_POLISH_ENDING = re.compile("(?<=...)(iami|iach|iem|ami|ach|owi|ów|om|em|ie|ą|ę|a|e|i|o|u|y)$")


#: Polish words of which forms begin with another letter: człowiek, ludzie. All others keep their first one, but for
#: “nie-” and “naj-” before it.
_POLISH_TURNS = {
    "być": "j",
    "człowiek": "l",
    "dobry": "l",
    "dobrze": "l",
    "dużo": "w",
    "duży": "w",
    "iść": "s",
    "oda": "ó",
    "oko": "ó",
    "rok": "l",
    "zły": "g",
    "źle": "g",
}


def _polish_beginnings(word: str) -> Iterator[str]:
    yield from (word[:1], "n")
    for lemma in _polish(word):
        yield lemma[:1]
        yield from _POLISH_TURNS.get(lemma, "")


def _polish(word: str) -> list[str]:
    """Morfeusz' lemmas (`zamek:s2` is `zamek`); of a word it does not know, what is left without its ending."""
    found = _morfeusz().analyse(word)
    # A composed form (zrobiłbym) comes as a path of pieces; the pieces that start the word carry its lemma.
    lemmas = [
        lemma.split(":")[0].lower() for start, _, (_, lemma, tag, *_) in found if start == 0 and tag != "ign"
    ]
    return lemmas or [_POLISH_ENDING.sub("", word), *_english(word)]
