"""Articles: Python-Markdown for what the team writes, with tables, notes, tabs and code."""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup
from pygments.lexer import Lexer
from pygments.lexers import TextLexer
from pymdownx.highlight import Highlight, HighlightExtension

from ..slugs import slug
from .budget import Budget, TooIntricate, refuse_long, refuse_traps
from .safe import Links, clean_article, to_plain
from .video import SITES, video_of

LIMIT = 200_000
_EXTENSIONS: list[Any] = [
    "abbr", "admonition", "attr_list", "footnotes", "sane_lists", "tables", "toc",
    "pymdownx.betterem", "pymdownx.caret", "pymdownx.details", "pymdownx.mark",
    "pymdownx.superfences", "pymdownx.tabbed", "pymdownx.tilde",
]  # fmt: skip
_CONFIGS: dict[str, dict[str, Any]] = {
    "footnotes": {"BACKLINK_TITLE": "", "UNIQUE_IDS": False},
    "toc": {"slugify": lambda text, _separator: "s-" + slug(text), "toc_depth": "2-4"},
    "pymdownx.tabbed": {"alternate_style": True},
}
#: Languages of code that are coloured; lexers of others have inputs that take a minute.
_LANGUAGES = {
    "css",
    "diff",
    "html",
    "http",
    "ini",
    "javascript",
    "js",
    "json",
    "php",
    "python",
    "py",
    "sql",
    "text",
    "xml",
    "yaml",
}
_INTERNAL = re.compile(r"(?!https?:|mailto:|tel:)[a-z]+:\S+")
_TASK = re.compile(r"\[([ xX])\]\s+")
#: Attributes that `{: … }` may set; ids belong to the table of contents.
_SETTABLE = {"class", "width", "height", "href", "src", "alt", "title", "start", "style"}  # style: see _wrap


@dataclass
class Heading:
    """A heading and those below it; `id` is its anchor."""

    level: int
    id: str
    title: str
    children: list["Heading"] = field(default_factory=list)


@dataclass(frozen=True)
class Rendered:
    """An article ready for a page: `toc` is the tree of its headings, `headings` the same in a row."""

    html: Markup
    toc: list[Heading]
    headings: list[Heading]
    plain: str


def article(text: str, *, links: Links | None = None) -> Rendered:
    """Render staff Markdown.

    `links` turns targets such as `kb:12` into addresses; those it does not know
    lose their link. HTML is shown as typed. Raises Invalid over 200 KB, and
    TooIntricate for a text that would take longer than its budget.
    """
    refuse_long(text, LIMIT)
    refuse_traps(text)
    with _parser() as parser:
        html, tokens = parser.render(text, links or (lambda _target: None))
        html = clean_article(html)
    toc = [_heading(token) for token in tokens]
    return Rendered(html, toc, list(_flat(toc)), to_plain(html))


class _Parser:
    """A Markdown parser for one text at a time. Making one takes longer than rendering a page."""

    def __init__(self) -> None:
        self.md = md = Markdown(
            extensions=[*_EXTENSIONS, _Code()], extension_configs=_CONFIGS, output_format="html"
        )
        self.budget = Budget()
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.inlinePatterns.register(_LineBreak(r"<br ?/?>", md), "line_break", 90)
        md.treeprocessors.register(_Restrict(md), "restrict", 7)  # after attr_list (8), before toc (5)
        self.finish = _Finish(md)
        md.treeprocessors.register(self.finish, "finish", 1)
        _put_on_budget(md, self.budget)

    def render(self, text: str, links: Links) -> tuple[str, list[dict[str, Any]]]:
        """HTML, not yet clean, and its headings."""
        self.md.reset()
        self.finish.links = links
        self.budget.start()
        try:
            return self.md.convert(text), list(getattr(self.md, "toc_tokens", []))
        except RecursionError:
            raise TooIntricate from None


_idle: deque[_Parser] = deque(maxlen=4)


@contextmanager
def _parser() -> Iterator[_Parser]:
    """A parser that nobody else is using. One that broke off amid a text is not used again."""
    try:
        parser = _idle.pop()
    except IndexError:
        parser = _Parser()
    yield parser
    _idle.append(parser)


def _put_on_budget(md: Markdown, budget: Budget) -> None:
    for registry, names in (
        (md.preprocessors, ("run",)),
        (md.parser.blockprocessors, ("test", "run")),
        (md.treeprocessors, ("run",)),
        (md.inlinePatterns, ("handleMatch", "getCompiledRegExp")),
        (md.postprocessors, ("run",)),
    ):
        for step in registry:
            for name in names:
                setattr(step, name, budget.guard(getattr(step, name)))


class _Highlight(Highlight):
    """Colours short code in well-behaved languages, and leaves the rest alone."""

    def get_lexer(self, src: str, language: str, inline: bool, stripnl: bool) -> tuple[Lexer, str]:
        if language in _LANGUAGES and len(src) <= 20_000:
            return super().get_lexer(src, language, inline, stripnl)
        return TextLexer(stripnl=stripnl), "text"


class _Code(HighlightExtension):
    def get_pymdownx_highlighter(self) -> type[Highlight]:
        return _Highlight


class _LineBreak(InlineProcessor):
    """`<br>`, the only way to break a line inside a table cell."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:
        return Element("br"), m.start(0), m.end(0)


class _Restrict(Treeprocessor):
    """Drop attributes that a text may not set."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.tag in ("input", "label") or "footnote" in element.get("class", ""):
                continue
            for name in set(element.attrib) - _SETTABLE:
                if not (name == "id" and str(element.get("id")).startswith("fn")):
                    del element.attrib[name]


class _Finish(Treeprocessor):
    """Resolve links, and give tables, tasks, code and headings the shape our pages know."""

    links: Links

    def run(self, root: Element) -> None:
        for element in list(root.iter()):
            if element.tag == "a":
                self._link(element)
            elif element.tag == "img":
                self._image(element)
            elif element.tag == "li":
                _task(element)
            elif element.tag in ("h2", "h3", "h4") and element.get("id"):
                anchor = SubElement(element, "a", {"class": "anchor", "href": f"#{element.get('id')}"})
                anchor.set("aria-labelledby", str(element.get("id")))
                anchor.text = "#"
        linked = {id(image) for link in root.iter("a") for image in link.iter("img")}
        for parent in list(root.iter()):
            for place, child in enumerate(list(parent)):
                if child.tag == "table":
                    _wrap(parent, place, child)
                elif child.tag == "img" and id(child) not in linked:
                    _enlarge(parent, place, child)

    def _link(self, element: Element) -> None:
        target = element.get("href", "")
        if _INTERNAL.fullmatch(target):
            resolved = self.links(target)
            if resolved is None:
                element.tag = "span"
                element.attrib.clear()
                element.set("class", "broken")
                return
            element.set("href", resolved)
        elif "://" in target or target.startswith("//"):
            element.set("rel", "noopener nofollow")

    def _image(self, element: Element) -> None:
        target = element.get("src", "")
        if video := video_of(target):
            _film(element, target, video)
            return
        if _INTERNAL.fullmatch(target):
            element.set("src", self.links(target) or "")
        element.set("loading", "lazy")


def _task(item: Element) -> None:
    holder = item[0] if len(item) and item[0].tag == "p" and not (item.text or "").strip() else item
    found = _TASK.match(holder.text or "")
    if not found:
        return
    done = found[1] != " "
    box = Element(
        "span",
        {"class": "task done" if done else "task todo", "role": "img", "aria-label": "✓" if done else "○"},
    )
    box.tail = " " + str(holder.text)[found.end() :]
    holder.text = ""
    holder.insert(0, box)
    item.set("class", "task")


def _wrap(parent: Element, place: int, table: Element) -> None:
    box = Element("div", {"class": "table-wrap", "tabindex": "0"})
    box.tail, table.tail = table.tail, None
    table.set("class", "table")
    for cell in table.iter():
        style = cell.attrib.pop("style", "")  # the tables extension writes alignment so
        if style.startswith("text-align: "):
            cell.set("align", style.removeprefix("text-align: ").rstrip(";"))
    parent[place] = box
    box.append(table)


def _enlarge(parent: Element, place: int, image: Element) -> None:
    """A picture of ours leads to itself, where it is large. One without words is decoration."""
    if not image.get("src", "").startswith("/") or not image.get("alt"):
        return
    link = Element("a", {"class": "zoom", "href": image.get("src", "")})
    link.tail, image.tail = image.tail, None
    parent[place] = link
    link.append(image)


def _film(element: Element, address: str, video: tuple[str, str]) -> None:
    """`![Title](address of a video)` becomes a link that may play in its place."""
    site, name = video
    label, tail = element.get("alt") or address, element.tail
    element.clear()
    element.tag, element.text, element.tail = "a", label + " ", tail
    for key, value in (("class", "video"), ("href", address), ("rel", "noopener nofollow")):
        element.set(key, value)
    element.set("data-video", f"{site}/{name}")
    SubElement(element, "span", {"class": "video-site"}).text = SITES[site].name


def _heading(token: dict[str, Any]) -> Heading:
    return Heading(
        token["level"], token["id"], to_plain(token["name"]), [_heading(child) for child in token["children"]]
    )


def _flat(headings: list[Heading]) -> Iterator[Heading]:
    for heading in headings:
        yield heading
        yield from _flat(heading.children)
