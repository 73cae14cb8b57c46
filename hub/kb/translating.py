"""Translations and their source: which are outdated, what changed since, which are missing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased, undefer

from ..core import audit
from ..core.access import visible
from ..core.database import db
from ..core.i18n import LOCALES
from .models import Article, Revision, Status, Translation


@dataclass(frozen=True)
class Since:
    """The source as the translation knows it (None: older than any kept here), and as it is now."""

    then: Revision | None
    now: Revision


def since(translation: Translation) -> Since | None:
    """What a translation was made from and what that has become; None for the source itself."""
    source = translation.article.source
    if source is None or source is translation:
        return None
    numbers = (translation.source_revision or 0, source.revision)
    found = db.session.scalars(
        select(Revision)
        .where(Revision.translation_id == source.id, Revision.number.in_(numbers))
        .options(undefer(Revision.body))
    )
    by_number = {each.number: each for each in found}
    return Since(by_number.get(numbers[0]), by_number[source.revision])


def catch_up(translation: Translation, actor: Any, revision: int) -> None:
    """The translation says what the source said in `revision`."""
    source = translation.article.source
    if source is None or source is translation or not 0 < revision <= source.revision:
        return
    if translation.source_revision != revision:
        translation.source_revision = revision
        audit.record(actor, "article.translated", f"translation:{translation.id}", after={"source": revision})


def nothing_to_translate(source: Translation) -> None:
    """The last change of the source concerns no translation: those that were up to date still are."""
    for each in source.article.translations:
        if each is not source and each.source_revision == source.revision - 1:
            each.source_revision = source.revision


def board(user: Any, *, only_gaps: bool) -> Select[Any]:
    """Articles for the board language × article; with `only_gaps` those that lack something."""
    readable = visible(select(Translation.article_id), user)
    statement = select(Article).where(Article.id.in_(readable))
    if not only_gaps:
        return statement
    complete = (
        select(Translation.article_id)
        .where(Translation.status == Status.PUBLISHED)
        .group_by(Translation.article_id)
        .having(func.count() == len(LOCALES))
    )
    return statement.where(or_(Article.id.not_in(complete), Article.id.in_(_outdated_articles())))


def totals() -> dict[str, dict[str, int]]:
    """By language: articles that are published, outdated, unfinished and missing."""
    source = aliased(Translation)
    outdated = and_(source.revision > Translation.source_revision, source.id != Translation.id)
    rows = db.session.execute(
        select(
            Translation.locale,
            func.sum(case((Translation.status == Status.PUBLISHED, 1), else_=0)),
            func.sum(case((outdated, 1), else_=0)),
            func.count(),
        )
        .join(Article, Article.id == Translation.article_id)
        .outerjoin(source, and_(source.article_id == Article.id, source.locale == Article.source_locale))
        .where(Translation.status != Status.ARCHIVED)
        .group_by(Translation.locale)
    )
    found = {locale: (published, outdated, there) for locale, published, outdated, there in rows}
    living = db.session.scalar(
        select(func.count(func.distinct(Translation.article_id))).where(Translation.status != Status.ARCHIVED)
    )
    totals = {}
    for lang in LOCALES:
        published, late, there = found.get(lang, (0, 0, 0))
        totals[lang] = {
            "published": published,
            "outdated": late,
            "unfinished": there - published,
            "missing": (living or 0) - there,
        }
    return totals


def outdated() -> Any:
    """The condition on Translation that its source has moved on."""
    source = aliased(Translation)
    article = aliased(Article)
    return (
        select(source.id)
        .join(article, article.id == source.article_id)
        .where(
            source.article_id == Translation.article_id,
            source.locale == article.source_locale,
            source.id != Translation.id,
            source.revision > Translation.source_revision,
        )
        .exists()
    )


def _outdated_articles() -> Select[Any]:
    return select(Translation.article_id).where(outdated(), Translation.status != Status.ARCHIVED)
