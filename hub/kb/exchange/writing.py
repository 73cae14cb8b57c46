"""Articles out of the database: to a folder, a ZIP or JSON lines. The same articles are the same bytes."""

import base64
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import RowMapping, Select, and_, collate, select
from sqlalchemy.orm import aliased

from ...accounts.models import User
from ...core import storage
from ...core.database import db
from ..models import Article, ArticleReader, Category, Redirect, Revision, Translation
from ..models.writing import Picture
from . import categories, heads
from .heads import KEYS, BadHead, Head
from .reading import CATEGORIES, PICTURES
from .sides import put

_PAGE = 200
#: A moment for all entries of a ZIP, so that it does not depend on when it was made.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Written:
    """An article as a file, and the text it is of."""

    path: str
    head: Head
    front: str
    body: str
    translation_id: int
    revision: int

    @property
    def content(self) -> bytes:
        return (self.front + self.body).encode()


def articles() -> Iterator[Written]:
    """All articles in the order of their names: three statements and little memory, however many there are."""
    readers = _by_owner(select(ArticleReader.article_id, ArticleReader.token))
    former = _by_owner(select(Redirect.translation_id, Redirect.slug))
    for row in db.session.execute(_everything()).mappings():
        head = _head(row, readers.get(row["article_id"], []), former.get(row["id"], []))
        front = _front(head, row["front"])
        yield Written(f"{head.lang}/{head.id}.md", head, front, row["body"], row["id"], row["revision"])


def _by_owner(statement: Any) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for owner, text in db.session.execute(statement):
        found.setdefault(owner, []).append(text)
    return found


def _everything() -> Select[Any]:
    source = aliased(Translation)
    text = Translation.__table__.c
    columns = (
        "id", "article_id", "locale", "slug", "title", "summary", "body", "tags", "status", "revision",
        "source_revision", "publish_at", "published_at", "updated_at",
    )  # fmt: skip
    # The same order on every database, whatever language it sorts in.
    is_postgresql = db.engine.dialect.name == "postgresql"
    name = collate(Article.key, "C") if is_postgresql else Article.key
    return (
        select(
            *(text[column] for column in columns),
            Article.key,
            Article.audience,
            Article.source_locale,
            Article.external_id,
            Article.review_due,
            Article.created_at,
            User.email.label("owner"),
            Category.key.label("category"),
            source.revision.label("source_now"),
            Revision.front,
        )
        .select_from(Translation)
        .join(Article, Article.id == Translation.article_id)
        .join(Category, Category.id == Article.category_id)
        .outerjoin(User, User.id == Article.owner_id)
        .outerjoin(source, and_(source.article_id == Article.id, source.locale == Article.source_locale))
        .outerjoin(
            Revision, and_(Revision.translation_id == Translation.id, Revision.number == Translation.revision)
        )
        .order_by(name, Translation.locale)
        .execution_options(yield_per=_PAGE)
    )


def _head(row: RowMapping, readers: list[str], former: list[str]) -> Head:
    is_source = row["locale"] == row["source_locale"]
    made_from, source_now = row["source_revision"], row["source_now"]
    head = Head(
        id=row["key"],
        lang=row["locale"],
        slug=row["slug"],
        title=row["title"],
        summary=row["summary"],
        category=row["category"],
        audience=row["audience"],
        tags=list(row["tags"]),
        updated=row["updated_at"],
        readers=sorted(readers),
        source="" if row["source_locale"] == "en" else row["source_locale"],
        status=row["status"],
        publish_at=row["publish_at"],
        published=row["published_at"],
        former=sorted(former),
        outdated=not is_source and made_from is not None and (source_now or 0) > made_from,
    )
    head.created = head.published or head.updated
    if is_source:
        head.created, head.review, head.external_id = row["created_at"], row["review_due"], row["external_id"]
        head.owner = row["owner"] or ""
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


def pictures() -> Iterator[tuple[str, str]]:
    """(name, key in the storage) of every picture."""
    yield from sorted((row.name, row.key) for row in db.session.execute(select(Picture.name, Picture.key)))


# --- To a folder, a ZIP, lines ---


def to_folder(
    folder: Path, note: Callable[[Written], None] = lambda _: None, *, old: bytes | None = None
) -> list[Path]:
    """Write what differs from the files there; returns their paths.

    `note` hears of every article; `old` is the categories' file when the folder may have none.
    """
    shelves = folder / CATEGORIES
    written = put(shelves, categories.file(shelves.read_bytes() if shelves.exists() else old))
    for each in articles():
        written += put(folder / each.path, each.content)
        note(each)
    for name, key in pictures():
        path = folder / PICTURES / name
        if not path.exists():  # its name follows from its content
            with storage.open(key) as file:
                written += put(path, file.read())
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
    yield CATEGORIES, categories.file()
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
    for row in categories.rows():
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
