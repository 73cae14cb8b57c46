"""Blocks of a text: what stands in a line of its own after `:::`, such as `::: article payouts`.

Lines below it, up to an empty one or a closing `:::`, replace the words that
the block would find itself. Headings, texts, pictures and buttons are plain
Markdown; a paragraph that is a single link becomes a button.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from ..core.i18n import Text, _l


class Kind(StrEnum):
    ARTICLE = "article"
    BANNER = "banner"
    ENDING = "ending"
    WEBINAR = "webinar"
    RECORDING = "recording"
    STORY = "story"
    EARNINGS = "earnings"
    LEVEL = "level"


#: kind → (name, what it is of; empty for what is the reader's own)
KINDS: dict[Kind, tuple[Text, Text]] = {
    Kind.ARTICLE: (_l("Article"), _l("The article’s key")),
    Kind.BANNER: (_l("Banner"), _l("The banner’s id")),
    Kind.ENDING: (_l("Banner that ends"), _l("The banner’s id")),
    Kind.WEBINAR: (_l("Webinar"), _l("The webinar’s number")),
    Kind.RECORDING: (_l("Recording"), _l("The webinar’s number")),
    Kind.STORY: (_l("Success story"), _l("The article’s key")),
    Kind.EARNINGS: (_l("Earnings of the month"), ""),
    Kind.LEVEL: (_l("New level"), ""),
}
#: About the reader alone: they name nothing.
PERSONAL = {Kind.EARNINGS, Kind.LEVEL}

_LINE = re.compile(r":::[ \t]*([\w-]*)[ \t]*(.*)")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_ENDS_IN_HEADING = re.compile(r"(?:^|\n)(#{1,4} [^\n]*)\s*\Z")
_NEW_CHAPTER = re.compile(r"\s*(#{1,4} |---|\Z)")


@dataclass(frozen=True)
class Block:
    """One `:::` line. `key` names it among the others of a newsletter."""

    kind: str
    of: str = ""
    text: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.of}" if self.of else self.kind

    @property
    def is_known(self) -> bool:
        return self.kind in set(Kind) and bool(self.of) is (self.kind not in PERSONAL)

    @property
    def markdown(self) -> str:
        """As it stands in a text."""
        line = f"::: {self.kind} {self.of}".rstrip()
        return f"{line}\n{self.text}\n:::" if self.text else line


@dataclass(frozen=True)
class Shelf:
    """A heading with nothing but blocks under it: it is left out together with the last of them."""

    heading: str
    keys: tuple[str, ...]


def parse(body: str) -> list[str | Block]:
    """Texts and blocks in their order."""
    found: list[str | Block] = []
    text: list[str] = []
    lines = body.replace("\r\n", "\n").split("\n")
    in_code, at = False, 0
    while at < len(lines):
        in_code ^= bool(_FENCE.match(lines[at]))
        match = None if in_code else _LINE.fullmatch(lines[at].strip())
        at += 1
        if match is None:
            text.append(lines[at - 1])
        elif match[1]:
            words = list(takewhile(_is_word, lines[at:]))
            at += len(words)
            found += [*_text(text), Block(match[1].lower(), match[2].strip(), "\n".join(words))]
            text = []
    return [*found, *_text(text)]


def _text(lines: list[str]) -> list[str]:
    text = "\n".join(lines).strip("\n")
    return [text] if text.strip() else []


def _is_word(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith(":::")


def of(body: str) -> list[Block]:
    return [part for part in parse(body) if isinstance(part, Block)]


def arrange(body: str) -> list[str | Block | Shelf]:
    """The same with headings that stand over blocks alone set apart."""
    parts, found = parse(body), list[str | Block | Shelf]()
    for i, part in enumerate(parts):
        keys, after = _following(parts[i + 1 :])
        heading = _ENDS_IN_HEADING.search(part) if isinstance(part, str) and keys else None
        if heading and _NEW_CHAPTER.match(after):
            assert isinstance(part, str)
            rest = part[: heading.start()]
            found += [rest] if rest.strip() else []
            found.append(Shelf(heading[1], keys))
        else:
            found.append(part)
    return found


def _following(parts: list[str | Block]) -> tuple[tuple[str, ...], str]:
    """Keys of the blocks that come at once, and the text after them."""
    keys: list[str] = []
    for part in parts:
        if isinstance(part, str):
            return tuple(keys), part
        keys.append(part.key)
    return tuple(keys), ""
