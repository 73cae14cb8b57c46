"""Readable addresses from titles in the hub's four languages."""

import re
import unicodedata

_LETTERS = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґł",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "yo",
            "zh",
            "z",
            "i",
            "y",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "_",
            "y",
            "_",
            "e",
            "yu",
            "ya",
            "i",
            "yi",
            "ye",
            "g",
            "l",
        ],
        strict=True,
    )
)
_TABLE = str.maketrans({letter: latin.strip("_") for letter, latin in _LETTERS.items()})


def slug(text: str, *, fallback: str = "section", longest: int = 80) -> str:
    """`text` as lower-case words joined by hyphens: Cyrillic transliterated, accents dropped.

    Letters of other scripts stay as they are; a text without letters gives `fallback`.
    """
    latin = unicodedata.normalize("NFKD", text.lower().translate(_TABLE))
    words = re.findall(r"\w+", re.sub(r"['’ʼ\u0300-\u036f]", "", latin).replace("_", " "))
    return "-".join(words)[:longest].strip("-") or fallback
