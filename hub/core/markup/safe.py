"""The allow-lists: what may reach a page, whatever the parsers made of a text."""

import html
import re
from collections.abc import Callable

import nh3
from markupsafe import Markup

from .video import NAMED

#: Turns an internal target such as `kb:12` into an address; None when there is nothing (to see) there.
Links = Callable[[str], str | None]

_COMMON = {
    "a",
    "abbr",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
_ARTICLE = _COMMON | {"div", "span", "img", "input", "label", "ins", "mark", "details", "summary"}
_SCHEMES = {"http", "https", "mailto", "tel"}

#: Classes our own style sheet knows; those of highlighted code are three characters at most.
_CLASSES = {
    "admonition", "admonition-title", "anchor", "broken", "button", "center", "danger", "done", "example", "footnote",
    "footnote-backref", "footnote-ref", "highlight", "important", "info", "lead", "note", "small", "success",
    "tabbed-alternate", "tabbed-block", "tabbed-content", "tabbed-labels", "tabbed-set", "table", "table-wrap",
    "task", "tip", "todo", "video", "video-site", "warning", "zoom",
}  # fmt: skip
_CODE_CLASS = re.compile(r"[a-z]{1,2}[a-z0-9]?")
_IDS = re.compile(r"(?:s-|fn:|fnref\d*:|__tabbed_)[\w.:-]*")
_NUMBER = re.compile(r"\d{1,4}")


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        kept = [
            one for one in value.split() if one in _CLASSES or (tag == "span" and _CODE_CLASS.fullmatch(one))
        ]
        return " ".join(kept) or None
    if name in ("id", "for", "name", "aria-labelledby"):
        return value if _IDS.fullmatch(value) else None
    if name == "data-video":
        return value if NAMED.fullmatch(value) else None
    if name in ("width", "height", "start"):
        return value if _NUMBER.fullmatch(value) else None
    return value


_article = nh3.Cleaner(
    tags=_ARTICLE,
    attributes={
        "*": {"class", "id"},
        "a": {"href", "title", "rel", "aria-labelledby", "data-video"},
        "img": {"src", "alt", "title", "width", "height"},
        "input": {"id", "name", "checked"},
        "label": {"for"},
        "ol": {"start"},
        "abbr": {"title"},
    },
    tag_attribute_values={
        "input": {"type": {"radio"}},
        "td": {"align": {"left", "right", "center"}},
        "th": {"align": {"left", "right", "center"}},
        "div": {"tabindex": {"0"}},
        "span": {"role": {"img"}, "aria-label": {"✓", "○"}},
        "img": {"loading": {"lazy"}},
    },
    set_tag_attribute_values={"pre": {"tabindex": "0"}},  # what scrolls can be reached by keyboard
    attribute_filter=_attribute,
    url_schemes=_SCHEMES,
    link_rel=None,  # set by the renderer: our own pages are followed
)
_message = nh3.Cleaner(
    tags=_COMMON,
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    attribute_filter=_attribute,
    url_schemes=_SCHEMES,
    link_rel="noopener nofollow",
)
_nothing = nh3.Cleaner(tags=set(), attributes={}, link_rel=None)


def clean_article(source: str) -> Markup:
    return Markup(_article.clean(source))


def clean_message(source: str) -> Markup:
    return Markup(_message.clean(source))


_ENDS = re.compile(r"<br ?/?>|</(?:p|li|h\d|tr|pre|blockquote|div|td|th|dt|dd|summary|label)>")
_ANCHORS = re.compile(r'<a [^>]*class="(?:anchor|footnote-backref)".*?</a>')


def to_plain(source: str) -> str:
    """HTML of ours as readable text: a line per block, no marks."""
    broken = _ENDS.sub("\n", _ANCHORS.sub("", source))
    text = html.unescape(_nothing.clean(broken))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t\xa0]+", " ", text)).strip()
