"""Which articles a reader gets: the shelves, the right language, related ones, former addresses."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from ..core.access import visible
from ..core.database import db
from ..core.i18n import LOCALES, locale
from .models import Article, Category, Redirect, Status, Translation

#: Articles of a shelf on the page of all shelves; the rest are on its own page.
ON_SHELF = 6


@dataclass
class Shelf:
    """A category as a reader sees it: some of its articles, how many there are, and the shelves within."""

    category: Category
    articles: list[Translation] = field(default_factory=list)
    count: int = 0
    within: list["Shelf"] = field(default_factory=list)

    @property
    def is_bare(self) -> bool:
        return not self.count and all(shelf.is_bare for shelf in self.within)


def shelves(user: Any) -> list[Shelf]:
    """The tree of categories with what `user` may read; empty ones are left out."""
    return _tree(select(Category), None, user)


def shelves_within(category: Category, user: Any) -> list[Shelf]:
    """The shelves within a category, each with those within."""
    return _tree(select(Category).where(Category.id.in_(_below(category))), category.id, user)


def _tree(categories: Select[Any], root: int | None, user: Any) -> list[Shelf]:
    """Shelves below `root`, of these categories."""
    rows = db.session.scalars(categories.order_by(Category.order, Category.id))
    found = {each.id: Shelf(each) for each in rows}
    if not found:
        return []
    ids = categories.with_only_columns(Category.id) if root is not None else None
    for translation, count in _first_of_each(user, ids):
        shelf = found[translation.article.category_id]
        shelf.articles.append(translation)
        shelf.count = count
    top = []
    for shelf in found.values():
        above = found.get(shelf.category.parent_id or 0)
        if shelf.category.parent_id == root:
            top.append(shelf)
        elif above is not None:
            above.within.append(shelf)
    for shelf in found.values():
        shelf.within = [each for each in shelf.within if not each.is_bare]
    return [shelf for shelf in top if not shelf.is_bare]


def _below(category: Category) -> Select[Any]:
    """The ids of everything within a category, however deep."""
    below = select(Category.id).where(Category.parent_id == category.id).cte("below", recursive=True)
    deeper = aliased(Category)
    below = below.union(select(deeper.id).join(below, deeper.parent_id == below.c.id))
    return select(below.c.id)


def of_category(category: Category, user: Any) -> Select[Any]:
    """The articles of a category, each in the language `user` should get."""
    return (
        _nearest(user).where(Article.category_id == category.id).options(contains_eager(Translation.article))
    )


def _first_of_each(user: Any, category_ids: Select[Any] | None) -> list[tuple[Translation, int]]:
    distance = _distance(locale(), Translation)
    at = func.row_number().over(
        partition_by=Article.category_id, order_by=(distance > 0, Translation.title, Translation.id)
    )
    count = func.count().over(partition_by=Article.category_id)
    nearest = _nearest(user)
    if category_ids is not None:
        nearest = nearest.where(Article.category_id.in_(category_ids))
    placed = nearest.with_only_columns(
        Translation.id, at.label("at"), count.label("count"), maintain_column_froms=True
    ).subquery()
    statement = (
        select(Translation, placed.c.count)
        .join(placed, placed.c.id == Translation.id)
        .where(placed.c.at <= ON_SHELF)
        .order_by(placed.c.at)
        .options(joinedload(Translation.article))
    )
    return [(translation, count) for translation, count in db.session.execute(statement)]


def _nearest(user: Any) -> Select[Any]:
    """Published texts that `user` may read: of each article the one nearest to the reader's language.

    Who may read one text of an article may read all: no audience is asked for the others.
    """
    other = aliased(Translation)
    mine, its = _distance(locale(), Translation), _distance(locale(), other)
    nearer = exists().where(
        other.article_id == Translation.article_id,
        other.status == Status.PUBLISHED,
        or_(its < mine, and_(its == mine, other.id < Translation.id)),
    )
    statement = visible(select(Translation), user).join(Translation.article)
    return statement.where(Translation.status == Status.PUBLISHED, ~nearer)


def _distance(lang: str, of: Any) -> Any:
    order = {each: number for number, each in enumerate(dict.fromkeys((lang, *LOCALES)))}
    return case(order, value=of.locale, else_=len(order))


def path_to(category: Category) -> list[Category]:
    """A category and those it is within, the outermost first."""
    if category.parent_id is None:
        return [category]
    above = select(Category.id, Category.parent_id).where(Category.id == category.parent_id)
    up = above.cte("up", recursive=True)
    higher = aliased(Category)
    up = up.union(select(higher.id, higher.parent_id).join(up, higher.id == up.c.parent_id))
    known = {each.id: each for each in db.session.scalars(select(Category).join(up, up.c.id == Category.id))}
    path: list[Category] = [category]
    at: int | None = category.parent_id
    while at in known and known[at] not in path:
        path.insert(0, known[at])
        at = known[at].parent_id
    return path


def published_copy(article_id: int, lang: str, user: Any) -> Translation | None:
    """The translation a reader should get: in `lang`, or else the first of the hub's languages there is.

    The team, which sees unpublished ones too, gets one of those only if there is no other.
    """
    statement = visible(select(Translation).where(Translation.article_id == article_id), user)
    found = {(each.status == Status.PUBLISHED, each.locale): each for each in db.session.scalars(statement)}
    wanted = product((True, False), (lang, *LOCALES))
    return next((found[each] for each in wanted if each in found), None)


def neighbours(translation: Translation, user: Any, limit: int = 4) -> list[Translation]:
    """Articles on the same shelf, those with common tags first: for a text that nothing else is known of yet."""
    shelf = (
        select(Translation)
        .join(Translation.article)
        .where(
            Article.category_id == translation.article.category_id,
            Translation.locale == translation.locale,
            Translation.id != translation.id,
            Translation.status == Status.PUBLISHED,
        )
    )
    rows = list(db.session.scalars(visible(shelf, user).order_by(Translation.updated_at.desc()).limit(30)))
    mine = set(translation.tags)
    return sorted(rows, key=lambda each: -len(mine & set(each.tags)))[:limit]


def fetch(article_key: str) -> Article | None:
    """The article of a key or of the name it had elsewhere."""
    named = (Article.key == article_key) | (Article.external_id == article_key)
    return db.session.scalar(select(Article).where(named).limit(1))


def former(lang: str, slug: str) -> Translation | None:
    """The translation that once had this address."""
    statement = select(Redirect).where(Redirect.locale == lang, Redirect.slug == slug)
    redirect = db.session.scalar(statement)
    return (
        db.session.get(Translation, redirect.translation_id, options=[joinedload(Translation.article)])
        if redirect
        else None
    )
