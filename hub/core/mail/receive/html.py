"""HTML of other people's mail programs: as plain text, and as a page that can do nothing.

The text is made in linear time from whatever is there. The page goes through
nh3, whose time grows with the square of the depth, so what is nested without
end is shown as text instead.
"""

import html
import re
from collections.abc import Callable

import nh3
from markupsafe import Markup, escape

#: Longest HTML that is read, in characters.
LONGEST = 2_000_000
DEEPEST = 400

_BLOCKS = {
    "address", "article", "aside", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_SKIPPED = {"head", "script", "style", "template", "title", "noscript", "svg", "math", "object"}
_EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
#: Elements whose end may be left out: they do not nest.
_LAX = {"body", "colgroup", "dd", "dt", "head", "html", "li", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"}  # fmt: skip
_NAME = re.compile(r"/?\s*([a-zA-Z][a-zA-Z0-9:]{0,20})")
_HREF = re.compile(r"\bhref\s*=\s*[\"']?(https?://[^\"'\s>]{1,2000})", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]{1,200})\"|'([^']{1,200})')", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f\xa0]+")


def to_text(source: str) -> str:
    """What a person would read: a line a block, quotations with “>”, addresses of links behind their words."""
    writer = _Writer()
    for piece in _without_comments(source[:LONGEST]).split("<"):
        tag, closed, text = piece.partition(">")
        match = _NAME.match(tag) if closed else None
        if match is None:
            writer.text(("<" + piece) if writer.begun else piece)
        else:
            writer.tag(match[1].lower(), tag)
            writer.text(text)
        writer.begun = True
    return writer.result()


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.depth = 0  # of quotations
        self.has_gap, self.gap_depth = False, 0  # an empty line is due, inside so many quotations
        self.skipping = ""
        self.links: list[tuple[str, int, int]] = []
        self.preformatted = 0
        self.begun = False

    def tag(self, name: str, tag: str) -> None:
        ends = tag.startswith("/")
        if self.skipping:
            if ends and name == self.skipping:
                self.skipping = ""
            return
        if name in _SKIPPED and not ends and not tag.endswith("/"):
            self.skipping = name
        elif name == "br":
            self.end_line()
        elif name == "p":
            self.paragraph()
        elif name == "blockquote":
            self.paragraph()
            self.depth = max(0, self.depth - 1) if ends else min(self.depth + 1, 20)
            self.gap_depth = min(self.gap_depth, self.depth)
        elif name in ("td", "th") and ends:
            self.line.append(" ")
        elif name == "a":
            self.link(tag, ends)
        elif name == "img":
            if match := _ALT.search(tag):
                self.text(match[1] or match[2])
        elif name in _BLOCKS:
            self.block(name, ends)

    def block(self, name: str, ends: bool) -> None:
        self.fresh_line()
        if name == "pre":
            self.preformatted = max(0, self.preformatted + (-1 if ends else 1))
        elif name == "li" and not ends:
            self.line.append("• ")
        elif name == "hr":
            self.line.append("_" * 20)
            self.fresh_line()

    def link(self, tag: str, ends: bool) -> None:
        if not ends:
            match = _HREF.search(tag)
            self.links = [*self.links[-20:], (match[1] if match else "", len(self.lines), len(self.line))]
        elif self.links:
            href, line, start = self.links.pop()
            words = "".join(self.line[start:]) if line == len(self.lines) else ""
            href = html.unescape(href)
            if href and words.strip() and href.rstrip("/") not in words and words.strip() not in href:
                self.line.append(f" ({href})")

    def text(self, text: str) -> None:
        if self.skipping or not text:
            return
        text = html.unescape(text)
        if self.preformatted:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self.line.append(first)
            for each in rest:
                self.end_line()
                self.line.append(each)
            return
        self.line.append(_SPACES.sub(" ", text))

    def fresh_line(self) -> None:
        if "".join(self.line).strip():
            self.end_line()
        else:
            self.line = []

    def paragraph(self) -> None:
        self.fresh_line()
        if not self.has_gap:
            self.has_gap, self.gap_depth = bool(self.lines), self.depth

    def end_line(self) -> None:
        line = "".join(self.line)
        line = line.rstrip() if self.preformatted else _SPACES.sub(" ", line).strip()
        if self.has_gap:
            self.has_gap = False
            self.lines.append("> " * min(self.gap_depth, self.depth))
        self.lines.append("> " * self.depth + line)
        self.line = []

    def result(self) -> str:
        self.fresh_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in self.lines)).strip("\n")


def _without_comments(source: str) -> str:
    parts, position = [], 0
    while (start := source.find("<!--", position)) >= 0:
        parts.append(source[position:start])
        end = source.find("-->", start + 4)
        if end < 0:
            return "".join(parts)
        position = end + 3
    return "".join([*parts, source[position:]])


# --- A page that can do nothing ----------------------------------------------

_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "color", "direction", "display",
    "font", "font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing", "line-height",
    "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding",
    "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "text-indent",
    "vertical-align", "white-space", "width",
}  # fmt: skip
_TAGS = {
    "a", "abbr", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre",
    "q", "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "tt", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "align", "valign"},
    "a": {"href", "title"},
    "font": {"color", "face", "size"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "width", "height"},
    "td": {"bgcolor", "colspan", "rowspan", "width", "height"},
    "th": {"bgcolor", "colspan", "rowspan", "width", "height"},
    "tr": {"bgcolor"},
}


def sanitise(source: str, picture: Callable[[str], str | None]) -> Markup:
    """HTML without anything that acts; `picture` gives each image its address, or None to leave it out."""
    if len(source) > LONGEST or _depth(source) > DEEPEST:
        return Markup("<pre>{}</pre>").format(to_text(source))

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return picture(value)
        if name == "href" and value.strip().lower().startswith(("data:", "cid:")):
            return None
        return value

    cleaner = nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "template"},
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Markup(cleaner.clean(source))


def from_text(text: str) -> Markup:
    """Plain text as a page of the same kind."""
    return Markup("<pre>{}</pre>").format(escape(text))


def _depth(source: str) -> int:
    """How deep elements are nested at most, at a guess that is never too low for what matters."""
    deepest = depth = 0
    for piece in source.split("<"):
        match = _NAME.match(piece)
        if match is None:
            continue
        name = match[1].lower()
        if name in _EMPTY or name in _LAX:
            continue
        depth = max(0, depth - 1) if piece.startswith("/") else depth + 1
        deepest = max(deepest, depth)
    return deepest
