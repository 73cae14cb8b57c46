"""An article on paper: its HTML becomes data, and Typst sets the data. Nothing in it is read as a program."""

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from sqlalchemy import select

from ..core import i18n, storage
from ..core.database import db
from ..core.i18n import _, format_date
from ..core.settings import settings
from . import pictures
from .models import Translation
from .models.writing import Picture

#: Blocks and cells of a PDF. More would take Typst many seconds, and nobody prints it.
MOST_PARTS = 10_000
TEMPLATE = Path(__file__).parent / "article.typ"
#: Pixels of a picture's longer side; more than paper shows only makes the file large.
_PIXELS = 1400
_VOID = {"br", "hr", "img", "input"}
_MARKS = {
    "strong": "strong",
    "em": "em",
    "mark": "mark",
    "del": "del",
    "s": "del",
    "sub": "sub",
    "sup": "sup",
}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCKS = _HEADINGS | {"p", "ul", "ol", "li", "pre", "blockquote", "table", "hr", "div", "details"}
_TONES = {"note", "info", "important", "tip", "success", "warning", "danger"}
#: What stands on a page for those who click.
_SKIPPED = {"anchor", "footnote-backref"}


@dataclass
class Node:
    """An element of the page; texts stand between its children as they are."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    inside: list["Node | str"] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set(self.attrs.get("class", "").split())

    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text() for each in self.inside)

    def all(self, tag: str) -> Iterator["Node"]:
        for each in self.inside:
            if isinstance(each, Node):
                if each.tag == tag:
                    yield each
                yield from each.all(tag)


class _Tree(HTMLParser):
    """The tree of a page of ours, which is clean."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("div")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if any(node.tag == tag for node in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def as_file(translation: Translation) -> io.BytesIO:
    """The PDF, ready to be stored."""
    return io.BytesIO(pdf(translation))


def pdf(translation: Translation) -> bytes:
    """A text as PDF, in its own language. Needs its page and its body; raises typst.TypstError."""
    import typst  # 6 MB that few processes ever need

    with tempfile.TemporaryDirectory(prefix="hub-pdf-") as folder, i18n.speaking(translation.locale):
        values = {
            "title": translation.title,
            "summary": translation.summary,
            "lang": translation.locale,
            "programme": settings.programme_name,
            "url": settings.base_url + translation.path,
            "updated": _("updated") + " " + format_date(translation.updated_at, "long"),
            "blocks": _Page(_pictures(translation, Path(folder))).blocks(_tree(translation.html)),
        }
        main = Path(folder) / "article.typ"
        main.write_bytes(TEMPLATE.read_bytes())
        return typst.compile(
            str(main),
            root=folder,
            format="pdf",
            sys_inputs={"article": json.dumps(values)},
            ignore_system_fonts=True,
        )


def _tree(html: str) -> Node:
    tree = _Tree()
    tree.feed(html)
    tree.close()
    return tree.root


def _pictures(translation: Translation, folder: Path) -> dict[str, tuple[str, int]]:
    """The article's pictures beside the template: (file, width) by address."""
    names = pictures.names_in(translation.body)
    found = {}
    for number, picture in enumerate(db.session.scalars(select(Picture).where(Picture.name.in_(names)))):
        file = f"{number}.png"
        with storage.open(picture.key) as source, Image.open(source) as image:
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((_PIXELS, _PIXELS))
            out = io.BytesIO()
            is_photo = image.format == "JPEG"
            if is_photo:
                file = f"{number}.jpg"
                upright.convert("RGB").save(out, "JPEG", quality=85)
            else:
                upright.convert("RGBA").save(out, "PNG")
        (folder / file).write_bytes(out.getvalue())
        found[f"/kb/pictures/{picture.name}"] = file, picture.width
    return found


class TooLong(Exception):
    """A text that has too many parts to be set."""


class _Page:
    """Turns a page into blocks and their pieces, as `article.typ` knows them."""

    def __init__(self, pictures: dict[str, tuple[str, int]]) -> None:
        self.pictures, self.parts = pictures, 0

    def _count(self, parts: int) -> None:
        self.parts += parts
        if self.parts > MOST_PARTS:
            raise TooLong

    def blocks(self, node: Node) -> list[dict[str, Any]]:
        """The blocks within an element; loose text between them becomes paragraphs."""
        self._count(1)
        found: list[dict[str, Any]] = []
        loose: list[Node | str] = []

        def settle() -> None:
            pieces = self.pieces(loose)
            if any(not isinstance(piece, str) or piece.strip() for piece in pieces):
                found.append({"is": "p", "in": pieces})
            loose.clear()

        for each in node.inside:
            if isinstance(each, Node) and each.tag in _BLOCKS:
                settle()
                found += self.block(each)
            else:
                loose.append(each)
        settle()
        return found

    def block(self, node: Node) -> list[dict[str, Any]]:
        """What an element becomes; one that only holds others becomes what it holds."""
        if node.tag == "details" or "admonition" in node.classes:
            return [self._note(node)]
        if "tabbed-set" in node.classes:
            return self._tabs(node)
        makers: dict[str, Callable[[Node], list[dict[str, Any]]]] = {
            "hr": lambda _node: [{"is": "rule"}],
            "p": lambda node: [{"is": "p", "in": self.pieces(node.inside)}],
            "pre": lambda node: [{"is": "code", "text": node.text().strip("\n")}],
            "blockquote": lambda node: [{"is": "quote", "in": self.blocks(node)}],
            "ul": self._list,
            "ol": self._list,
            "table": self._table,
        }
        makers |= dict.fromkeys(_HEADINGS, self._heading)
        return makers.get(node.tag, self.blocks)(node)

    def _heading(self, node: Node) -> list[dict[str, Any]]:
        return [{"is": "heading", "level": min(int(node.tag[1]), 4), "in": self.pieces(node.inside)}]

    def _list(self, node: Node) -> list[dict[str, Any]]:
        items = [self.blocks(each) for each in node.inside if isinstance(each, Node) and each.tag == "li"]
        start = node.attrs.get("start", "1")
        return [{"is": node.tag, "items": items, "start": int(start) if start.isdigit() else 1}]

    def _note(self, node: Node) -> dict[str, Any]:
        """A remark; its title is its first element."""
        title, inside = "", Node("div")
        for each in node.inside:
            is_title = isinstance(each, Node) and (
                each.tag == "summary" or "admonition-title" in each.classes
            )
            if is_title and not title:
                title = each.text()  # type: ignore[union-attr]
            else:
                inside.inside.append(each)
        tone = next(iter(sorted(node.classes & _TONES)), "")
        return {"is": "note", "tone": tone, "title": [title] if title else [], "in": self.blocks(inside)}

    def _tabs(self, node: Node) -> list[dict[str, Any]]:
        """On paper all tabs are open, one below the other."""
        labels = [each.text() for each in node.all("label")]
        bodies = [each for each in node.all("div") if "tabbed-block" in each.classes]
        found: list[dict[str, Any]] = []
        for label, body in zip(labels, bodies, strict=False):
            found += [{"is": "p", "in": [{"is": "strong", "in": [label]}]}, *self.blocks(body)]
        return found

    def _table(self, node: Node) -> list[dict[str, Any]]:
        rows = [
            [each for each in row.inside if isinstance(each, Node) and each.tag in ("th", "td")]
            for row in node.all("tr")
        ]
        columns = max(map(len, rows), default=0)
        if not columns:
            return []
        self._count(columns * len(rows))
        full = [row + [Node("td")] * (columns - len(row)) for row in rows]
        cells = [
            [{"align": cell.attrs.get("align", "left"), "in": self.pieces(cell.inside)} for cell in row]
            for row in full
        ]
        has_head = bool(rows[0]) and rows[0][0].tag == "th"
        head, rest = (cells[0], cells[1:]) if has_head else ([], cells)
        return [{"is": "table", "columns": columns, "head": head, "rows": rest}]

    def pieces(self, nodes: list[Node | str]) -> list[Any]:
        """What stands in a line: texts, and objects for what is more."""
        found: list[Any] = []
        for each in nodes:
            if isinstance(each, str):
                found.append(each.replace("\n", " "))
            elif not each.classes & _SKIPPED and each.tag not in ("input", "label"):
                found.append(self._piece(each))
        return found

    def _piece(self, node: Node) -> dict[str, Any]:
        if node.tag == "br":
            return {"is": "br"}
        if node.tag == "img":
            return self._image(node)
        if node.tag == "code":
            return {"is": "code", "text": node.text()}
        if "task" in node.classes:
            return {"is": "task", "done": "done" in node.classes}
        inside = self.pieces(node.inside)
        target = _target(node.attrs.get("href", ""))
        if node.tag == "a" and target:
            return {"is": "link", "to": target, "in": inside}
        return {"is": _MARKS.get(node.tag, "span"), "in": inside}

    def _image(self, node: Node) -> dict[str, Any]:
        alt = node.attrs.get("alt", "")
        kept = self.pictures.get(node.attrs.get("src", ""))
        if kept is None:  # one of another site is not fetched
            return {"is": "span", "in": [f"[{alt}]"] if alt else []}
        file, width = kept
        asked = node.attrs.get("width", "")
        return {"is": "image", "file": file, "alt": alt, "width": int(asked) if asked.isdigit() else width}


def _target(href: str) -> str:
    """Where a link leads from paper; within the page nowhere."""
    if href.startswith("/") and not href.startswith("//"):
        return settings.base_url + href
    return href if href.startswith(("http://", "https://", "mailto:", "tel:")) else ""
