"""Text as it was typed: mails are no Markdown, and a line of theirs is a line."""

from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup, escape

from .messages import _ADDRESS, LIMIT, _trimmed
from .safe import clean_message


def typed(text: str) -> Markup:
    """Plain text as HTML: its lines kept, addresses linked, quoted lines set apart."""
    return clean_message("".join(_blocks(text[:LIMIT].split("\n"))))


def _blocks(lines: list[str]) -> Iterator[str]:
    for quoted, group in groupby(lines, lambda line: line.lstrip().startswith(">")):
        if quoted:
            inner = [line.lstrip()[1:].removeprefix(" ") for line in group]
            yield "<blockquote>" + "".join(_paragraphs(inner)) + "</blockquote>"
        else:
            yield from _paragraphs(list(group))


def _paragraphs(lines: list[str]) -> Iterator[str]:
    for has_words, group in groupby(lines, lambda line: bool(line.strip())):
        if has_words:
            yield "<p>" + "<br>".join(_linked(line.rstrip()) for line in group) + "</p>"


def _linked(line: str) -> str:
    parts, end = [], 0
    for match in _ADDRESS.finditer(line):
        address = _trimmed(match[0])
        parts += [
            str(escape(line[end : match.start()])),
            str(Markup('<a href="{0}">{0}</a>').format(address)),
        ]
        end = match.start() + len(address)
    return "".join([*parts, str(escape(line[end:]))])
