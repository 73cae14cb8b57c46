"""Articles as files: `content/kb/<lang>/<id>.md` with a YAML head, and `categories.yaml` beside them.

    ---
    id: commission            one name for all languages; links say kb:commission
    lang: en
    slug: how-commission-is-counted
    title: How commission is counted
    summary: One sentence.
    category: money           a key of categories.yaml
    audience: public          public, partners, chosen or staff
    tags: [commission, refunds]
    updated: 2026-11-09
    readers: ["tier:gold"]    only with the audience chosen: levels and tags of partners
    ---

Every file is checked before any is imported. A file that changed becomes a revision; when the article was
also edited in the hub since the last sync, that is a conflict and the hub's text stays.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer

from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import LOCALES
from . import service
from .models import Article, Audience, Category, Revision, Translation

KEYS = ("id", "lang", "slug", "title", "summary", "category", "audience", "tags", "updated")
OPTIONAL = ("readers",)
_FENCE = "---\n"


#: What another room keeps in the same folder: it imports its part and says in a line what it did.
Part = Callable[[Path], str]
_parts: list[Part] = []


def also_sync(part: Part) -> Part:
    """Register a higher room's part of the folder."""
    _parts.append(part)
    return part


def parts() -> list[Part]:
    return list(_parts)


@dataclass(frozen=True)
class Mistake:
    """What is wrong in a file, where."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class Unreadable(HubError):
    """Files are wrong; nothing was imported."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True)
class File:
    """An article file, read and checked. `front` is its head word for word."""

    path: Path
    sha256: str
    front: str
    head: dict[str, Any]
    body: str

    @property
    def text(self) -> service.Text:
        return service.Text(
            self.head["title"], self.body, self.head["summary"], self.head["slug"], list(self.head["tags"])
        )


@dataclass
class Report:
    """What a sync did, by path."""

    created: list[Path] = field(default_factory=list)
    revised: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    conflicts: list[Path] = field(default_factory=list)
    written: list[Translation] = field(default_factory=list)


def read(folder: Path) -> tuple[list[dict[str, Any]], list[File]]:
    """The categories and articles of a folder. Raises Unreadable with every mistake there is."""
    mistakes: list[Mistake] = []
    categories = _read_categories(folder / "categories.yaml", mistakes)
    known = {each["key"] for each in categories}
    files = [file for path in sorted(folder.glob("*/*.md")) if (file := _read_file(path, known, mistakes))]
    _check_unique(files, mistakes)
    if mistakes:
        raise Unreadable(mistakes)
    return categories, files


def sync(folder: Path, *, force: bool = False) -> Report:
    """Import a folder. With `force` files win over newer edits in the hub. Raises Unreadable."""
    categories, files = read(folder)
    shelves = {each["key"]: _put_category(each) for each in categories}
    db.session.flush()
    report = Report()
    for file in files:
        _put(file, shelves[file.head["category"]], report, force)
    _catch_up(report)
    return report


def _catch_up(report: Report) -> None:
    """A translation whose file came with this sync says what its source in the same folder says."""
    for translation in report.written:
        if translation.article.source and translation is not translation.article.source:
            translation.source_revision = translation.article.source.revision


def export(folder: Path) -> list[Path]:
    """Write every article to its file; those that have not changed get the same bytes. Returns what was written."""
    written = []
    statement = select(Translation).options(
        joinedload(Translation.article).joinedload(Article.category), undefer(Translation.body)
    )
    for translation in db.session.scalars(statement.order_by(Translation.id)):
        path = folder / translation.locale / f"{translation.article.key}.md"
        content = (_front(translation) + translation.body).encode()
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
        translation.synced_revision = translation.revision
        translation.synced_sha256 = hashlib.sha256(content).hexdigest()
    return written


# --- Reading files ---


def _read_categories(path: Path, mistakes: list[Mistake]) -> list[dict[str, Any]]:
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mistakes.append(Mistake(path, _line_of(error), f"cannot be read: {_short(error)}"))
        return []
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("key"), str) and isinstance(row.get("name"), dict):
            found.append(row)
        else:
            mistakes.append(Mistake(path, 1, f"a category needs `key` and `name`: {row!r}"))
    return found


def _read_file(path: Path, categories: set[str], mistakes: list[Mistake]) -> File | None:
    try:
        raw = path.read_bytes()
        source = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        mistakes.append(Mistake(path, 1, f"cannot be read: {_short(error)}"))
        return None
    end = source.find("\n" + _FENCE, len(_FENCE) - 1)
    if not source.startswith(_FENCE) or end < 0:
        mistakes.append(
            Mistake(path, 1, "no head: the file has to begin with a block between two lines of ---")
        )
        return None
    front = source[: end + 1 + len(_FENCE)]
    try:
        head = yaml.safe_load(source[len(_FENCE) : end + 1])
    except yaml.YAMLError as error:
        mistakes.append(Mistake(path, _line_of(error) + 1, f"the head is not YAML: {_short(error)}"))
        return None
    if not isinstance(head, dict):
        mistakes.append(Mistake(path, 2, "the head holds no `key: value` lines"))
        return None
    wrong = list(_wrong(path, head, categories))
    mistakes += [Mistake(path, _line_in(front, key), reason) for key, reason in wrong]
    if wrong:
        return None
    return File(path, hashlib.sha256(raw).hexdigest(), front, head, source[len(front) :])


def _wrong(path: Path, head: dict[str, Any], categories: set[str]) -> list[tuple[str, str]]:
    """(key, reason) of everything wrong in a head."""
    missing = [("", f"`{key}` is missing") for key in KEYS if key not in head]
    if missing:
        return missing
    unknown = [(str(key), f"`{key}` is not known here") for key in head if key not in KEYS + OPTIONAL]
    texts = [(key, f"`{key}` must be a text") for key in KEYS[:7] if not isinstance(head[key], str)]
    if unknown or texts:
        return unknown + texts
    readers = head.get("readers", [])
    checks = [
        (
            "lang",
            head["lang"] in LOCALES,
            f"the hub does not speak {head['lang']!r}; it speaks {', '.join(LOCALES)}",
        ),
        ("lang", path.parent.name == head["lang"], f"the file is in the folder of {path.parent.name!r}"),
        ("id", path.stem == head["id"], f"the file of {head['id']!r} must be called {head['id']}.md"),
        ("title", bool(head["title"].strip()), "the title is empty"),
        ("slug", head["slug"] == head["slug"].strip("/ ") != "", f"{head['slug']!r} is no address"),
        (
            "category",
            head["category"] in categories,
            f"there is no category {head['category']!r} in categories.yaml",
        ),
        ("audience", head["audience"] in set(Audience), f"`audience` must be one of {', '.join(Audience)}"),
        ("tags", _are_texts(head["tags"]), "`tags` must be a list of words"),
        (
            "readers",
            _are_texts(readers) and all(each.startswith(("tier:", "tag:")) for each in readers),
            "`readers` must be a list such as [tier:gold, tag:video]",
        ),
        (
            "audience",
            bool(readers) == (head["audience"] == Audience.CHOSEN),
            "`readers` go with the audience `chosen`, and it with them",
        ),
        ("updated", isinstance(head["updated"], date), "`updated` must be a date such as 2026-11-09"),
    ]
    return [(key, reason) for key, is_right, reason in checks if not is_right]


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _check_unique(files: list[File], mistakes: list[Mistake]) -> None:
    """Two files may not want the same address."""
    first: dict[tuple[str, str], Path] = {}
    for file in files:
        address = file.head["lang"], file.head["slug"]
        if address in first:
            line = _line_in(file.front, "slug")
            mistakes.append(Mistake(file.path, line, f"{first[address]} has the slug {address[1]!r} already"))
        first.setdefault(address, file.path)


def _line_in(front: str, key: str) -> int:
    """The line of a key in a head; the first line when it is not there."""
    lines = front.splitlines()
    return next((number for number, line in enumerate(lines, 1) if key and line.startswith(f"{key}:")), 1)


def _line_of(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _short(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


# --- Putting into the database ---


def _put_category(row: dict[str, Any]) -> Category:
    category = db.session.scalar(select(Category).where(Category.key == row["key"]))
    if category is None:
        category = Category(key=row["key"], names={})
        db.session.add(category)
    category.names = {str(lang): str(name) for lang, name in row["name"].items()}
    category.descriptions = {str(lang): str(text) for lang, text in (row.get("description") or {}).items()}
    category.order, category.icon = int(row.get("order", 100)), str(row.get("icon", "book-2"))
    return category


def _put(file: File, category: Category, report: Report, force: bool) -> None:
    article = db.session.scalar(select(Article).where(Article.key == file.head["id"]))
    audience = Audience(file.head["audience"])
    known = {each.locale: each for each in article.translations} if article else {}
    translation = known.get(file.head["lang"])
    if translation is None:
        translation = _new(file, article, category, audience)
        report.created.append(file.path)
    elif translation.synced_sha256 == file.sha256 and not force:
        report.unchanged.append(file.path)
        return
    elif translation.revision != translation.synced_revision and not force:
        report.conflicts.append(file.path)
        return
    else:
        service.revise(
            translation, None, file.text, seen=translation.revision, why=_why(file), front=file.front
        )
        service.file_under(translation.article, category, audience, file.head.get("readers", []))
        report.revised.append(file.path)
    translation.updated_at = datetime.combine(file.head["updated"], time(12), UTC)
    translation.synced_revision, translation.synced_sha256 = translation.revision, file.sha256
    report.written.append(translation)


def _new(file: File, article: Article | None, category: Category, audience: Audience) -> Translation:
    lang, text, why = file.head["lang"], file.text, _why(file)
    if article is None:
        translation = service.create(None, category, audience, lang, text, key=file.head["id"], why=why)
        service.file_under(translation.article, category, audience, file.head.get("readers", []))
    else:
        translation = service.translate(article, None, lang, text, why=why)
    revision = db.session.scalars(select(Revision).where(Revision.translation_id == translation.id)).one()
    revision.front = file.front
    service.publish(translation)
    return translation


def _why(file: File) -> str:
    return f"content/{file.path.parent.name}/{file.path.name}"


def _front(translation: Translation) -> str:
    """The head the file had, if the text still is that file's; a new one otherwise."""
    statement = select(Revision.front).where(
        Revision.translation_id == translation.id, Revision.number == translation.revision
    )
    article = translation.article
    old = db.session.scalar(statement)
    values: dict[str, Any] = {
        "id": article.key,
        "lang": translation.locale,
        "slug": translation.slug,
        "title": translation.title,
        "summary": translation.summary,
        "category": article.category.key,
        "audience": str(article.audience),
        "tags": list(translation.tags),
        "updated": translation.updated_at.date(),
    }
    if article.readers:
        values["readers"] = article.readers
    if old and yaml.safe_load(old.removeprefix(_FENCE).removesuffix(_FENCE)) == values:
        return old
    lines = [_yaml_line(key, value) for key, value in values.items()]
    return f"{_FENCE}{''.join(lines)}{_FENCE}"


def _yaml_line(key: str, value: Any) -> str:
    """One line of a head; a list stays on it: `tags: [a, b]`."""
    if isinstance(value, list):
        return f"{key}: {yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=True)}"
    return yaml.safe_dump({key: value}, allow_unicode=True, width=10_000, default_flow_style=False)
