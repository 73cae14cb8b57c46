"""The team's care for categories: their tree, order, texts and icons."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from ..core import audit
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import _, _l
from ..core.jobs import ring
from ..core.slugs import slug
from .models import Article, Category, Translation
from .service import INDEX

#: What a category may be drawn with.
ICONS = (
    "book-2", "rocket", "coins", "link", "trending-up", "scale", "photo", "school", "users", "shield-check", "star",
    "target", "gift", "percentage", "receipt", "wallet", "calendar", "mail", "message-circle", "help", "bulb", "globe",
    "code", "settings", "trophy", "video",
)  # fmt: skip
_STEP = 10


class ShelfInUse(HubError):
    message = _l("This category holds articles or other categories. Move them first.")


@dataclass(frozen=True)
class Facts:
    """What the team says of a category; texts by language."""

    names: dict[str, str]
    descriptions: dict[str, str]
    icon: str
    parent: Category | None


def tree() -> list[tuple[Category, int]]:
    """All categories in the order of the page, each with its depth."""
    below: dict[int | None, list[Category]] = {}
    for each in db.session.scalars(select(Category).order_by(Category.order, Category.id)):
        below.setdefault(each.parent_id, []).append(each)
    found: list[tuple[Category, int]] = []

    def walk(parent: int | None, depth: int) -> None:
        for each in below.get(parent, []):
            found.append((each, depth))
            walk(each.id, depth + 1)

    walk(None, 0)
    return found


def counts() -> dict[int, int]:
    """Articles by category."""
    rows = db.session.execute(select(Article.category_id, func.count()).group_by(Article.category_id))
    return {category_id: count for category_id, count in rows}  # noqa: C416 – rows are no pairs to mypy


def create(actor: Any, facts: Facts) -> Category:
    """A new category, the last of its parent."""
    category = Category(key=_free_key(slug(next(iter(facts.names.values())), fallback="category")), names={})
    db.session.add(category)
    category.order = _last(facts.parent) + _STEP
    _put(category, facts)
    db.session.flush()
    audit.record(actor, "category.created", f"category:{category.id}", after={"names": facts.names})
    return category


def change(category: Category, actor: Any, facts: Facts) -> None:
    """New texts, icon or place. Raises Invalid for a category within itself."""
    if facts.parent and any(each.id == category.id for each in _upwards(facts.parent)):
        raise Invalid(parent=[_("A category cannot be within itself.")])
    if (facts.parent.id if facts.parent else None) != category.parent_id:
        category.order = _last(facts.parent) + _STEP
    before = {"names": category.names, "parent": category.parent_id}
    _put(category, facts)
    _reindex(category)
    audit.record(
        actor, "category.edited", f"category:{category.id}", before=before, after={"names": facts.names}
    )


def move(category: Category, step: int) -> None:
    """Change places with the neighbour above (-1) or below (+1); at an end nothing happens."""
    same = Category.parent_id == category.parent_id if category.parent_id else Category.parent_id.is_(None)
    row = list(db.session.scalars(select(Category).where(same).order_by(Category.order, Category.id)))
    at = row.index(category)
    if 0 <= at + step < len(row):
        row[at], row[at + step] = row[at + step], row[at]
    for number, each in enumerate(row, 1):
        each.order = number * _STEP


def remove(category: Category, actor: Any) -> None:
    """Take an empty category away. Raises ShelfInUse."""
    holds = select(Article.id).where(Article.category_id == category.id).limit(1)
    contains = select(Category.id).where(Category.parent_id == category.id).limit(1)
    if db.session.scalar(holds) or db.session.scalar(contains):
        raise ShelfInUse
    audit.record(actor, "category.removed", f"category:{category.id}", before={"names": category.names})
    db.session.delete(category)


def _put(category: Category, facts: Facts) -> None:
    category.names, category.descriptions = facts.names, facts.descriptions
    category.icon = facts.icon
    category.parent_id = facts.parent.id if facts.parent else None


def _upwards(category: Category) -> list[Category]:
    path = [category]
    while path[-1].parent_id is not None and len(path) < 50:
        path.append(db.session.get_one(Category, path[-1].parent_id))
    return path


def _last(parent: Category | None) -> int:
    same = Category.parent_id == parent.id if parent else Category.parent_id.is_(None)
    return db.session.scalar(select(func.max(Category.order)).where(same)) or 0


def _reindex(category: Category) -> None:
    """Results show the category's name."""
    articles = select(Article.id).where(Article.category_id == category.id)
    db.session.execute(
        update(Translation)
        .where(Translation.article_id.in_(articles))
        .values(is_stale=True, touched=Translation.touched + 1)
        .execution_options(synchronize_session=False)
    )
    ring(INDEX)


def _free_key(wanted: str) -> str:
    key, number = wanted, 1
    while db.session.scalar(select(Category.id).where(Category.key == key)):
        number += 1
        key = f"{wanted}-{number}"
    return key
