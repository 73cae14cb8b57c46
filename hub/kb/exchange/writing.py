"""Articles out of the database: to a folder, a ZIP or JSON lines. The same articles are the same bytes."""

import base64
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload, undefer

from ...core import storage
from ...core.database import db
from ..models import Article, Category, Redirect, Revision, Translation
from ..models.writing import Picture
from . import heads
from .heads import KEYS, BadHead, Head
from .reading import CATEGORIES, PICTURES

_PAGE = 200
#: A moment for all entries of a ZIP, so that it does not depend on when it was made.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Written:
    """An article as a file."""

    path: str
    head: Head
    front: str
    body: str
    translation: Translation

    @property
    def content(self) -> bytes:
        return (self.front + self.body).encode()


def articles() -> Iterator[Written]:
    """All articles in the order of their names."""
    last = ""
    while True:
        keys = list(
            db.session.scalars(
                select(Article.key).where(Article.key > last).order_by(Article.key).limit(_PAGE)
            )
        )
        if not keys:
            return
        yield from _page(keys)
        last = keys[-1]


def _page(keys: list[str]) -> Iterator[Written]:
    article = contains_eager(Translation.article)
    statement = (
        select(Translation)
        .join(Translation.article)
        .where(Article.key.in_(keys))
        .options(
            article.options(
                joinedload(Article.category),
                selectinload(Article.reader_rows),
                selectinload(Article.translations),
            ),
            undefer(Translation.body),
        )
    )
    rows = list(db.session.scalars(statement.order_by(Article.key, Translation.locale)))
    ids = [row.id for row in rows]
    fronts = dict(
        db.session.execute(
            select(Translation.id, Revision.front)
            .join(Revision, Revision.translation_id == Translation.id)
            .where(Translation.id.in_(ids), Revision.number == Translation.revision)
        ).all()
    )
    former: dict[int, list[str]] = {}
    for id, slug in db.session.execute(
        select(Redirect.translation_id, Redirect.slug).where(Redirect.translation_id.in_(ids))
    ):
        former.setdefault(id, []).append(slug)
    for row in rows:
        head = _head(row, former.get(row.id, []))
        front = _front(head, fronts.get(row.id))
        yield Written(f"{row.locale}/{row.article.key}.md", head, front, row.body, row)


def _head(translation: Translation, former: list[str]) -> Head:
    article = translation.article
    head = Head(
        id=article.key,
        lang=translation.locale,
        slug=translation.slug,
        title=translation.title,
        summary=translation.summary,
        category=article.category.key,
        audience=article.audience,
        tags=list(translation.tags),
        updated=translation.updated_at,
        readers=sorted(article.readers),
        source="" if article.source_locale == "en" else article.source_locale,
        status=translation.status,
        publish_at=translation.publish_at,
        published=translation.published_at,
        former=sorted(former),
        outdated=translation.is_outdated,
    )
    head.created = head.published or head.updated
    if translation is article.source:
        head.created, head.review, head.external_id = (
            article.created_at,
            article.review_due,
            article.external_id,
        )
    return head


def _front(head: Head, old: str | None) -> str:
    """The head the file had, if it still says the same; a new one otherwise."""
    if old:
        try:
            said = heads.parse(old)
            if all(key in said for key in KEYS) and Head.of(said) == head:
                return old
        except (BadHead, ValueError, TypeError, KeyError):
            pass
    return heads.write(head.said())


def categories() -> list[dict[str, Any]]:
    """All categories, a parent before what is within it."""
    rows = list(db.session.scalars(select(Category).order_by(Category.order, Category.key)))
    below: dict[int | None, list[Category]] = {}
    for each in rows:
        below.setdefault(each.parent_id, []).append(each)
    found: list[dict[str, Any]] = []

    def walk(parent: Category | None) -> None:
        for each in below.get(parent.id if parent else None, []):
            row: dict[str, Any] = {"key": each.key, "icon": each.icon, "order": each.order}
            if parent:
                row["parent"] = parent.key
            row["name"] = dict(sorted(each.names.items()))
            if each.descriptions:
                row["description"] = dict(sorted(each.descriptions.items()))
            found.append(row)
            walk(each)

    walk(None)
    return found


def categories_file(old: bytes | None = None) -> bytes:
    """The categories as a file: the old one when it says the same."""
    now = categories()
    if old is not None:
        try:
            if sorted(map(_filled, heads.parse_any(old.decode())), key=str) == sorted(
                map(_filled, now), key=str
            ):
                return old
        except (UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError, AttributeError):
            pass
    return yaml.safe_dump(now, allow_unicode=True, sort_keys=False, width=10_000).encode()


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    filled = {"icon": "book-2", "order": 100, "parent": "", "description": {}} | row
    return {
        key: dict(sorted(value.items())) if isinstance(value, dict) else value
        for key, value in sorted(filled.items())
    }


def pictures() -> Iterator[tuple[str, str]]:
    """(name, key in the storage) of every picture."""
    for row in db.session.execute(select(Picture.name, Picture.key).order_by(Picture.name)):
        yield row.name, row.key


# --- To a folder, a ZIP, lines ---


def to_folder(folder: Path, note: Callable[[Written], None] = lambda _: None) -> list[Path]:
    """Write what differs from the files there; returns their paths. `note` hears of every article."""
    written = []

    def put(path: Path, content: bytes) -> None:
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)

    shelves = folder / CATEGORIES
    put(shelves, categories_file(shelves.read_bytes() if shelves.exists() else None))
    for each in articles():
        put(folder / each.path, each.content)
        note(each)
    for name, key in pictures():
        path = folder / PICTURES / name
        if not path.exists():  # its name follows from its content
            with storage.open(key) as file:
                put(path, file.read())
    return written


def zipped() -> Iterator[bytes]:
    """All of it as a ZIP, piece by piece: no more than one file of it is in memory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]
        for name, content in _files():
            entry = zipfile.ZipInfo(name, _EPOCH)
            is_text = name.endswith((".md", ".yaml"))
            entry.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
            yield sink.taken()
    yield sink.taken()


def _files() -> Iterator[tuple[str, bytes]]:
    yield CATEGORIES, categories_file()
    for each in articles():
        yield each.path, each.content
    for name, key in pictures():
        with storage.open(key) as file:
            yield f"{PICTURES}/{name}", file.read()


class _Sink:
    """What zipfile writes to when it cannot go back."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        data, self.pieces = b"".join(self.pieces), []
        return data


def lines() -> Iterator[str]:
    """All of it as JSON, a category, an article or a picture a line."""
    for row in categories():
        yield _json({"category": row})
    for each in articles():
        yield _json(each.head.said() | {"body": each.body})
    for name, key in pictures():
        with storage.open(key) as file:
            yield _json({"picture": name, "data": base64.b64encode(file.read()).decode()})


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=_iso) + "\n"


def _iso(value: date | datetime) -> str:
    return value.isoformat()


def to(path: Path) -> None:
    """Write a .zip, a .jsonl, or a folder."""
    if path.suffix == ".zip":
        _save(path, zipped())
    elif path.suffix == ".jsonl":
        _save(path, (line.encode() for line in lines()))
    else:
        to_folder(path)


def _save(path: Path, pieces: Iterator[bytes]) -> None:
    """All of a file or none of it."""
    half = path.with_suffix(path.suffix + ".part")
    with half.open("wb") as file:
        _write_all(file, pieces)
    half.replace(path)


def _write_all(file: IO[bytes], pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        file.write(piece)
