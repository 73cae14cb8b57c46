"""Messages: markdown-it-py without HTML for what people write to each other."""

import re
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import g, has_request_context
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

from .budget import Budget, TooIntricate, refuse_long
from .safe import clean_message, to_plain

LIMIT = 100_000
#: Processor time for one message, and for all that one answer shows: a thread may hold hundreds.
SECONDS = 0.4
SECONDS_TOGETHER = 1.5
#: A line without a mark, as most of a chat is: words, digits and signs that mean nothing to Markdown, a letter first.
_PLAIN = re.compile(r"(?!https?:)[^\W\d_](?:[^\W_]|[ ,.?;…–—-]){0,300}(?<! )")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'«»“”]{1,2000}")


class _Kept:
    """What the newest texts look like, as many as fit: a thread is looked at far more often than written in."""

    def __init__(self, most: int) -> None:
        self.room, self.lock = most, threading.Lock()
        self.shown: dict[str, Markup] = {}

    def get(self, text: str) -> Markup | None:
        return self.shown.get(text)

    def keep(self, text: str, html: Markup) -> Markup:
        with self.lock:
            if text not in self.shown:
                self.shown[text] = html
                self.room -= len(text) + len(html)
            while self.room < 0:
                oldest = next(iter(self.shown))
                self.room += len(oldest) + len(self.shown.pop(oldest))
        return html


#: Characters, of texts and their HTML together: some MB at most.
_kept = _Kept(2_000_000)


def message(text: str) -> Markup:
    """Render a person's message: marks, lists, code, tables, links; line breaks are kept.

    Images become links, so that opening a message tells nobody. A text that is
    too intricate is shown as it was typed. Raises Invalid over 100 KB.
    """
    if _PLAIN.fullmatch(text):
        return Markup(f"<p>{text}</p>\n")
    refuse_long(text, LIMIT)
    known = _kept.get(text)
    if known is not None:
        return known
    left = g.get("markup_seconds", SECONDS_TOGETHER) if has_request_context() else SECONDS
    began = time.thread_time()
    try:
        return _kept.keep(text, clean_message(_parser.render(text, {"budget": Budget(min(left, SECONDS))})))
    except (TooIntricate, RecursionError):
        as_typed = Markup("<p>{}</p>").format(escape(text)).replace("\n", Markup("<br>"))
        return _kept.keep(text, as_typed) if left >= SECONDS else as_typed
    finally:
        if has_request_context():
            g.markup_seconds = left - (time.thread_time() - began)


def plain(text: str) -> str:
    """A message without its marks, for notifications, previews and search."""
    return to_plain(message(text))


def _make_parser() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    md.enable(["table", "strikethrough"])
    md.core.ruler.push("addresses", _link_addresses)
    md.core.ruler.push("hosts", _name_hosts)
    md.add_render_rule("image", _image_as_link)
    for ruler in (md.block.ruler, md.inline.ruler, md.inline.ruler2):
        for rule in ruler.__rules__:
            rule.fn = _on_budget(rule.fn)
    return md


def _on_budget(rule: Any) -> Any:
    def guarded(state: Any, *args: Any) -> Any:
        state.env["budget"].check()
        return rule(state, *args)

    return guarded


def _image_as_link(renderer: Any, tokens: list[Token], i: int, options: Any, env: Any) -> str:
    source, label = tokens[i].attrGet("src"), tokens[i].content
    return Markup('<a href="{}">{}</a>').format(source, label or source)


def _link_addresses(state: StateCore) -> None:
    """Turn bare http(s) addresses into links. linkify-it has inputs that take minutes."""
    for block in state.tokens:
        if block.type != "inline" or not block.children or "://" not in block.content:
            continue
        found: list[Token] = []
        depth = 0
        for token in block.children:
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            found.extend(_with_links(token) if token.type == "text" and not depth else [token])
        block.children = found


def _name_hosts(state: StateCore) -> None:
    """Say where a link leads that shows other words than its address."""
    for block in state.tokens:
        if block.type == "inline" and any(token.type == "link_open" for token in block.children or ()):
            block.children = list(_with_hosts(block.children or []))


def _with_hosts(tokens: list[Token]) -> Iterator[Token]:
    host = words = ""
    for token in tokens:
        yield token
        if token.type == "link_open":
            host, words = _host(str(token.attrGet("href"))), ""
        elif token.type == "link_close" and host not in words.lower():
            yield _text(f" ({host})")
        else:
            words += token.content


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _with_links(token: Token) -> list[Token]:
    parts: list[Token] = []
    end = 0
    for match in _ADDRESS.finditer(token.content):
        address = _trimmed(match[0])
        parts += [_text(token.content[end : match.start()]), *_link(address)]
        end = match.start() + len(address)
    return [*parts, _text(token.content[end:])]


def _trimmed(address: str) -> str:
    """The address without the sentence's punctuation after it."""
    address = address.rstrip(".,;:!?*_~")
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip(".,;:!?*_~")
    return address


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(address: str) -> list[Token]:
    return [Token("link_open", "a", 1, attrs={"href": address}), _text(address), Token("link_close", "a", -1)]


_parser = _make_parser()
