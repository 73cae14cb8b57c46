"""Bytes into letters, whatever the mail says they are.

What a mail declares is tried first. Where that cannot be true the likeliest
of the encodings our readers write in is taken: the one whose letters look
most like words.
"""

import codecs
import functools
import re

#: Names mail programs use for encodings that Python calls otherwise, or lacks.
_ALIASES = {
    "ansi": "cp1252",
    "big5-hkscs": "big5hkscs",
    "cp-1250": "cp1250",
    "cp-1251": "cp1251",
    "cp1251-1": "cp1251",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso-8859-8",
    "koi8-ru": "koi8-u",
    "koi8": "koi8-r",
    "ks_c_5601-1987": "cp949",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "win-1251": "cp1251",
    "windows1251": "cp1251",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-ce": "mac_latin2",
    "x-sjis": "shift_jis",
    "x-windows-1251": "cp1251",
}
#: Text encodings of Python's that no mail is written in; some take quadratic time.
_NEVER = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
#: A single-byte encoding never fails, so text declared as one of these is looked at again.
_SHRUGS = {"ascii", "iso8859-1", "cp1252", "latin-1", "utf-8"}
_GUESSES = ("cp1251", "koi8-u", "cp1250", "iso-8859-2", "cp1252", "cp866")
#: So many bytes tell the encoding of all the rest.
_SAMPLE = 20_000

_WEIGHT = {
    **dict.fromkeys("оеаинтсрвл", 4.0),
    **dict.fromkeys("кмдпуяыьзбгйчію", 3.0),
    **dict.fromkeys("хжшцщэфъёїєґ", 2.0),
    **dict.fromkeys("ąćęłńóśźżěščřžýáíéúůäöüßàèçêâñõåæø", 3.0),
    **dict.fromkeys("«»„“”‘’–—…№€°", 1.0),
}
_STRANGE = re.compile(r"[\x80-\x9f\ufffd]|[\u2500-\u25ff]")
_FLIPPED = re.compile(r"[а-яёіїєґa-ząćęłńóśźż][А-ЯЁІЇЄҐĄĆĘŁŃÓŚŹŻ]")
_UNWANTED = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0xFEFF]) | dict.fromkeys(
    range(0xD800, 0xE000)
)


def decode(data: bytes, declared: str | None) -> str:
    """The text of `data`, which a mail says is in `declared`; never raises."""
    name = _known(declared)
    if name is not None and name not in _SHRUGS:
        try:
            return data.decode(name)
        except (UnicodeError, ValueError):
            name = None
    if data.isascii():
        # ISO-2022-JP and the like are pure ASCII to look at, and were tried above.
        return data.decode("ascii")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    return data.decode(_guess(data, name), errors="replace")


def clean(text: str) -> str:
    """Text as databases and pages take it: plain line ends, no control characters, no lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return text.translate(_UNWANTED)


@functools.lru_cache(maxsize=200)
def _known(declared: str | None) -> str | None:
    """Python's name of an encoding; None for what is unknown or is no text."""
    name = (declared or "").strip().strip("\"'").lower()[:40]
    name = _ALIASES.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return found.name if found._is_text_encoding and found.name not in _NEVER else None


def _guess(data: bytes, declared: str | None) -> str:
    """The encoding in which `data` looks most like words; what was declared wins where it looks as good."""
    sample = data[:_SAMPLE]
    order = [declared] if declared and declared not in ("ascii", "utf-8") else []
    # A mail that is UTF-8 but for a few broken bytes stays UTF-8.
    order += ["utf-8", *_GUESSES]
    return max(order, key=lambda name: _likeness(sample, name))


def _likeness(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, errors="replace")
    odd = [letter for letter in text if letter > "\x7f"]
    points = sum(
        _WEIGHT.get(letter, 0.8 if letter.lower() in _WEIGHT else -2.0)
        for letter in odd
        if letter != "\ufffd"
    )
    return points - 6.0 * len(_STRANGE.findall(text)) - 3.0 * len(_FLIPPED.findall(text))
