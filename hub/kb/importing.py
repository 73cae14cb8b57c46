"""Articles from another system: a JSON object a line, `{id, lang, page, title, headings, body}`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import LOCALES
from ..core.slugs import slug
from . import service
from .models import Article, Audience, Category

_AUDIENCE = Audience.PUBLIC


class BadLine(HubError):
    """A line of the file is wrong; nothing was imported."""


def read(path: Path) -> list[dict[str, Any]]:
    """All lines of a file. Raises BadLine naming the first line that is wrong, and why."""
    rows = []
    seen: set[tuple[str, str]] = set()
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = _parsed(path, number, line)
                if (row["id"], row["lang"]) in seen:
                    raise BadLine(f"{path}:{number}: {row['id']!r} is there twice")
                seen.add((row["id"], row["lang"]))
                rows.append(row)
    return rows


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


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadLine(f"{path}:{number}: {error.msg}") from None
    fields = ("id", "lang", "page", "title", "body")
    wrong = [name for name in fields if not isinstance(row, dict) or not isinstance(row.get(name), str)]
    if wrong:
        raise BadLine(f"{path}:{number}: {', '.join(wrong)} must be a text")
    if row["lang"] not in LOCALES:
        raise BadLine(f"{path}:{number}: the hub does not speak {row['lang']!r}")
    if not row["title"].strip():
        raise BadLine(f"{path}:{number}: the title is empty")
    return row
