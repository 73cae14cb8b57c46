"""The body of a mail: Markdown in, HTML with inline styles and a plain text out.

Mail clients drop style sheets, so every element carries its own style; the
classes are for dark mode only. Markdown allows no HTML here.
"""

import re
import textwrap
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

SERIF = "font-family:Georgia,'Times New Roman',serif;"
SANS = "font-family:'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
_TEXT = SANS + "font-size:16px;line-height:25px;color:#42504d;"

#: tag → (class, inline style)
LOOKS = {
    "h1": ("ink", f"margin:0 0 12px;{SERIF}font-size:30px;line-height:36px;font-weight:bold;color:#16201f;"),
    "h2": (
        "ink",
        f"margin:32px 0 8px;{SERIF}font-size:20px;line-height:28px;font-weight:bold;color:#16201f;",
    ),
    "h3": ("ink", f"margin:24px 0 4px;{SANS}font-size:16px;line-height:24px;font-weight:600;color:#16201f;"),
    "p": ("soft", f"margin:0 0 16px;{_TEXT}"),
    "ul": ("soft", f"margin:0 0 16px;padding:0 0 0 22px;{_TEXT}"),
    "ol": ("soft", f"margin:0 0 16px;padding:0 0 0 24px;{_TEXT}"),
    "li": ("", "margin:0 0 6px;"),
    "a": ("link", "color:#0b5a66;text-decoration:underline;"),
    "strong": ("ink", "color:#16201f;font-weight:600;"),
    "blockquote": ("line", "margin:0 0 16px;padding:2px 0 2px 16px;border-left:3px solid #dfe3de;"),
    "hr": ("line", "margin:24px 0;border:0;border-top:1px solid #dfe3de;height:0;"),
    "code": ("code", "font-family:Consolas,Menlo,monospace;font-size:14px;background:#edefeb;color:#16201f;"),
    "pre": (
        "code",
        "margin:0 0 16px;padding:12px;white-space:pre-wrap;background:#edefeb;color:#16201f;font-size:14px;",
    ),
    "img": ("", "display:block;max-width:100%;height:auto;border:0;margin:0;"),
    "table": ("soft", f"margin:0 0 16px;border-collapse:collapse;width:100%;{_TEXT}"),
    "th": (
        "line ink",
        "padding:6px 10px 6px 0;border-bottom:1px solid #dfe3de;text-align:left;font-size:13px;color:#16201f;",
    ),
    "td": (
        "line",
        "padding:8px 10px 8px 0;border-bottom:1px solid #dfe3de;text-align:left;vertical-align:top;",
    ),
}
_BUTTON = (
    '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:8px 0 24px;"><tr>'
    '<td class="button" style="background:#0b5a66;border-radius:8px;">'
)
_BUTTON_LINK = f"display:inline-block;padding:12px 20px;{SANS}font-size:15px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none;"
_BUTTON_END = "</td></tr></table>\n"

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


def parse(markdown: str) -> list[Token]:
    return _markdown.parse(markdown)


def confined(markdown: str) -> str | None:
    """The same, doing nothing to what stands around it: an open fence is closed.

    None when it defines links, because a definition acts in the whole document.
    """
    env: dict[str, Any] = {}
    last = _markdown.parse(markdown + "\n\n.", env)[-1]
    if env.get("references"):
        return None
    return f"{markdown}\n{last.markup}" if last.type == "fence" else markdown


def ready_made(html: str, text: str) -> Token:
    """A block that brings its own HTML and its own text."""
    return Token("ready_made", "", 0, block=True, meta={"html": html, "text": text})


def relink(tokens: list[Token], to: Callable[[str], str]) -> None:
    """Write every link and image address as `to` says."""
    for token in tokens:
        for each in token.children or []:
            for name in ("href", "src"):
                if name in each.attrs:
                    each.attrs[name] = to(str(each.attrs[name]))


def html(tokens: list[Token]) -> str:
    """HTML of parsed Markdown; a paragraph that is a single link becomes a button."""
    for token in tokens:
        for each in (token, *(token.children or [])):
            _dress(each)
    for i, token in enumerate(tokens):
        if token.type == "paragraph_open" and (link := _only_link(tokens[i + 1])):
            token.hidden = tokens[i + 2].hidden = True
            link.attrs |= {"style": _BUTTON_LINK, "class": "button-link"}
            tokens[i + 1].meta["button"] = True
    return _Renderer().render(tokens, _markdown.options, {})


class _Renderer(RendererHTML):
    def render(self, tokens, options, env) -> str:  # type: ignore[no-untyped-def]
        out = []
        for i, token in enumerate(tokens):
            if token.type == "ready_made":
                out.append(token.meta["html"])
            elif token.meta.get("button"):
                out.append(_BUTTON + self.renderInline(token.children, options, env) + _BUTTON_END)
            elif token.type == "inline":
                out.append(self.renderInline(token.children, options, env))
            elif token.type in self.rules:
                out.append(self.rules[token.type](tokens, i, options, env))
            else:
                out.append(self.renderToken(tokens, i, options, env))
        return "".join(out)


def _dress(token: Token) -> None:
    tag = "pre" if token.type in ("fence", "code_block") else token.tag
    if token.nesting == -1 or tag not in LOOKS or token.type == "inline":
        return
    name, style = LOOKS[tag]
    token.attrs["style"] = style + str(token.attrs.get("style", ""))
    if name:
        token.attrs["class"] = name


def _only_link(inline: Token) -> Token | None:
    """The link that a paragraph consists of, if it holds nothing else but a class such as `{.button}`."""
    parts = list(inline.children or [])
    if parts and parts[-1].type == "text" and re.fullmatch(r"\s*\{\.[\w-]+\}\s*", parts[-1].content):
        parts[-1].content = ""
    parts = [part for part in parts if part.type != "text" or part.content]
    if len(parts) < 3 or parts[0].type != "link_open" or parts[-1].type != "link_close":
        return None
    return parts[0] if sum(part.type == "link_open" for part in parts) == 1 else None


# --- Plain text --------------------------------------------------------------


def text(tokens: list[Token]) -> str:
    """The same as plain text: wrapped, links written out, lists and quotes marked."""
    return "\n\n".join(_blocks(tokens)).strip() + "\n"


def _blocks(tokens: list[Token], width: int = 76) -> list[str]:
    found, i = [], 0
    while i < len(tokens):
        token, end = tokens[i], _end(tokens, i)
        inside = tokens[i + 1 : end]
        if token.type in _WRITERS:
            found.append(_WRITERS[token.type](token, inside, width))
        elif token.type == "inline":
            found.append(_wrap(_inline(token), width))
        elif inside:
            found += _blocks(inside, width)
        i = end + 1
    return [block for block in found if block]


def _end(tokens: list[Token], start: int) -> int:
    """Where the block that opens at `start` closes."""
    if tokens[start].nesting != 1:
        return start
    depth = 0
    for i in range(start, len(tokens)):
        depth += tokens[i].nesting
        if depth == 0:
            return i
    return len(tokens) - 1


def _wrap(line: str, width: int) -> str:
    parts = line.split("\n")
    return "\n".join(
        textwrap.fill(part, width, break_long_words=False, break_on_hyphens=False) for part in parts
    )


def _inline(token: Token) -> str:
    out: list[str] = []
    links: list[tuple[str, int]] = []
    for part in token.children or []:
        if part.type == "link_open":
            links.append((str(part.attrs["href"]), len(out)))
        elif part.type == "link_close":
            href, start = links.pop()
            label = "".join(out[start:])
            out[start:] = [
                href
                if label in (href, href.removeprefix("mailto:"))
                else f"{label}: {href}"
                if _only_link(token)
                else f"{label} ({href})"
            ]
        elif part.type == "softbreak":
            out.append(" ")
        elif part.type == "hardbreak":
            out.append("\n")
        elif part.type == "image":
            out.append(f"[{part.content}]" if part.content else "")
        else:
            out.append(part.content)
    return re.sub(r"[ \t]+", " ", "".join(out)).strip()


def _list(token: Token, inside: list[Token], width: int) -> str:
    items, i, number = [], 0, int(token.attrs.get("start", 1))
    while i < len(inside):
        end = _end(inside, i)
        mark = f"{number}. " if token.type == "ordered_list_open" else "- "
        blocks = "\n".join(_blocks(inside[i + 1 : end], width - len(mark)))
        items.append(mark + textwrap.indent(blocks, " " * len(mark)).lstrip())
        i, number = end + 1, number + 1
    return "\n".join(items)


def _quote(_token: Token, inside: list[Token], width: int) -> str:
    return textwrap.indent("\n\n".join(_blocks(inside, width - 2)), "> ", lambda _line: True)


def _row(_token: Token, inside: list[Token], _width: int) -> str:
    return " | ".join(_inline(token) for token in inside if token.type == "inline")


def _table(_token: Token, inside: list[Token], width: int) -> str:
    return "\n".join(_blocks(inside, width))


_WRITERS: dict[str, Callable[[Token, list[Token], int], str]] = {
    "bullet_list_open": _list,
    "ordered_list_open": _list,
    "blockquote_open": _quote,
    "table_open": _table,
    "tr_open": _row,
    "ready_made": lambda token, _inside, _width: str(token.meta["text"]),
    "hr": lambda _token, _inside, width: "-" * min(width, 20),
    "fence": lambda token, _inside, _width: token.content.rstrip("\n"),
    "code_block": lambda token, _inside, _width: token.content.rstrip("\n"),
}
