"""Articles from another system: a JSON object a line, `{id, lang, page, title, headings, body}`."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import LOCALES
from ..core.markup.articles import LIMIT
from ..core.markup.budget import refuse_long, refuse_traps
from ..core.slugs import slug
from . import service
from .models import Article, Audience, Category

_AUDIENCE = Audience.PUBLIC
FIELDS = ("id", "lang", "page", "title", "body")


@dataclass(frozen=True)
class Wrong:
    """A line that cannot be imported, and why."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass
class Lines:
    """What a file holds: articles, and lines that are wrong."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)


def read(path: Path) -> Lines:
    """All lines of a file; the wrong ones are listed with their reasons, and none stops the others."""
    found = Lines()
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = _parsed(line)
            first = seen.setdefault((row["id"], row["lang"]), number)
            if first != number:
                raise ValueError(f"{row['id']!r} is there twice, first in line {first}")
            refuse_long(row["body"], LIMIT)
            refuse_traps(row["body"])
        except (ValueError, HubError) as error:
            found.wrong.append(Wrong(path, number, str(error)))
        else:
            found.rows.append(row)
    return found


def load(rows: list[dict[str, Any]], progress: Callable[[int], None]) -> int:
    """Publish the articles that are new or have changed; how many that were."""
    shelves = {each.key: each for each in db.session.scalars(select(Category))}
    known = {each.external_id: each for each in db.session.scalars(select(Article)) if each.external_id}
    changed = 0
    for number, row in enumerate(rows, 1):
        article = known.get(row["id"])
        shelf = _shelf(row["page"], shelves)
        if article is None:
            known[row["id"]] = _add(row, shelf)
            changed += 1
        else:
            changed += _change(article, row)
        progress(number)
    return changed


def _add(row: dict[str, Any], shelf: Category) -> Article:
    text = service.Text(row["title"], row["body"])
    translation = service.create(None, shelf, _AUDIENCE, row["lang"], text, key=slug(row["id"]))
    translation.article.external_id = row["id"]
    service.publish(translation)
    return translation.article


def _change(article: Article, row: dict[str, Any]) -> bool:
    translation = next((each for each in article.translations if each.locale == row["lang"]), None)
    text = service.Text(row["title"], row["body"])
    if translation is None:
        service.publish(service.translate(article, None, row["lang"], text))
        return True
    if (translation.title, translation.body) == (row["title"], row["body"]):
        return False
    text = service.Text(row["title"], row["body"], translation.summary, translation.slug, translation.tags)
    service.revise(translation, None, text, seen=translation.revision, why="import")
    return True


def _shelf(page: str, shelves: dict[str, Category]) -> Category:
    """The category of a page of the other system: its first folder."""
    name = page.split("/", maxsplit=1)[0] or "import"
    key = slug(name, fallback="import")
    if key not in shelves:
        shelves[key] = Category(key=key, names={"en": name.replace("-", " ").capitalize()}, order=500)
        db.session.add(shelves[key])
    return shelves[key]


def _parsed(line: bytes) -> dict[str, Any]:
    """The article of a line. Raises ValueError with what is wrong."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from None
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8") from None
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(row, dict):
        raise ValueError("the line is no object {…}")
    wrong = [name for name in FIELDS if not isinstance(row.get(name), str) or "\x00" in row[name]]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} must be a text")
    if row["lang"] not in LOCALES:
        raise ValueError(f"the hub does not speak {row['lang']!r}; it speaks {', '.join(LOCALES)}")
    if not row["title"].strip() or not row["id"].strip():
        raise ValueError("the title is empty" if row["id"].strip() else "the id is empty")
    return row
