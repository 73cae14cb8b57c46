"""Which articles a reader gets: the shelves, the right language, related ones, former addresses."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, case, func, select
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
    categories = list(db.session.scalars(select(Category).order_by(Category.order, Category.id)))
    found = {each.id: Shelf(each) for each in categories}
    for translation, count in _first_of_each(user):
        shelf = found[translation.article.category_id]
        shelf.articles.append(translation)
        shelf.count = count
    for shelf in found.values():
        if shelf.category.parent_id in found:
            found[shelf.category.parent_id].within.append(shelf)
    for shelf in found.values():
        shelf.within = [each for each in shelf.within if not each.is_bare]
    return [shelf for shelf in found.values() if shelf.category.parent_id is None and not shelf.is_bare]


def of_category(category: Category, user: Any) -> Select[Any]:
    """The articles of a category, each in the language `user` should get."""
    chosen = _chosen(user).subquery()
    return (
        select(Translation)
        .join(Translation.article)
        .where(Article.category_id == category.id)
        .where(Translation.id.in_(select(chosen.c.id).where(chosen.c.place == 1)))
        .options(contains_eager(Translation.article))
    )


def _first_of_each(user: Any) -> list[tuple[Translation, int]]:
    chosen = _chosen(user).subquery()
    at = func.row_number().over(
        partition_by=chosen.c.category_id, order_by=(chosen.c.distance > 0, chosen.c.title, chosen.c.id)
    )
    count = func.count().over(partition_by=chosen.c.category_id)
    placed = select(chosen.c.id, at.label("at"), count.label("count")).where(chosen.c.place == 1).subquery()
    statement = (
        select(Translation, placed.c.count)
        .join(placed, placed.c.id == Translation.id)
        .where(placed.c.at <= ON_SHELF)
        .order_by(placed.c.at)
        .options(joinedload(Translation.article))
    )
    return [(translation, count) for translation, count in db.session.execute(statement)]


def _chosen(user: Any) -> Select[Any]:
    """Published texts; `place` 1 is the one of its article that is nearest to the reader's language."""
    distance = _distance(locale())
    place = func.row_number().over(partition_by=Translation.article_id, order_by=(distance, Translation.id))
    inner = aliased(Article)
    statement = (
        visible(select(Translation), user)
        .join(inner, inner.id == Translation.article_id)
        .where(Translation.status == Status.PUBLISHED)
    )
    return statement.with_only_columns(
        Translation.id,
        Translation.title,
        inner.category_id,
        distance.label("distance"),
        place.label("place"),
        maintain_column_froms=True,
    )


def _distance(lang: str) -> Any:
    order = {each: number for number, each in enumerate(dict.fromkeys((lang, *LOCALES)))}
    return case(order, value=Translation.locale, else_=len(order))


def path_to(category: Category) -> list[Category]:
    """A category and those it is within, the outermost first."""
    known = {each.id: each for each in db.session.scalars(select(Category))}
    path, at = [category], category.parent_id
    while at in known and known[at] not in path:
        path.insert(0, known[at])
        at = known[at].parent_id
    return path


def published_copy(article_id: int, lang: str, user: Any) -> Translation | None:
    """The translation a reader should get: in `lang`, or else the first of the hub's languages there is."""
    statement = visible(select(Translation).where(Translation.article_id == article_id), user)
    by_locale = {each.locale: each for each in db.session.scalars(statement)}
    return next((by_locale[each] for each in (lang, *LOCALES) if each in by_locale), None)


def related(translation: Translation, user: Any, limit: int = 4) -> list[Translation]:
    """Articles on the same shelf, those with common tags first."""
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
