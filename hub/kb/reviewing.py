"""What time does to articles: the scheduled appear, the old ask their owners whether they are still right."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import joinedload, selectinload

from ..accounts.models import User
from ..core import audit, clock, i18n
from ..core.access import Permission, roles_with
from ..core.database import db, transaction
from ..core.i18n import LOCALES, _l
from ..core.links import path
from ..core.settings import settings
from ..notifications import kinds
from ..notifications.service import notify
from . import service
from .models import Article, Status, Translation

#: How long an article counts as right once its owner has looked at it.
HALF_A_YEAR = timedelta(days=182)

kinds.register("article.published", _l("“%(title)s” is published, as scheduled"), icon="book-2")
kinds.register(
    "article.review",
    _l("Is “%(title)s” still right? It was to be reviewed by %(due)s"),
    icon="calendar-time",
    present=lambda params: params | {"due": i18n.format_date(date.fromisoformat(params["due"]))},
)


def publish_due() -> int:
    """Publish what was scheduled for a moment that has come; how many that were."""
    with transaction() as session:
        due = select(Translation).where(
            Translation.status == Status.SCHEDULED, Translation.publish_at <= clock.now()
        )
        found = list(
            session.scalars(
                due.options(joinedload(Translation.article)).with_for_update(of=Translation, key_share=True)
            )
        )
        for translation in found:
            service.publish(translation)
            audit.record(None, "article.published", f"translation:{translation.id}")
            owner = session.get(User, translation.article.owner_id or 0)
            notify(
                [owner] if owner else [], "article.published", {"title": translation.title}, translation.path
            )
        return len(found)


def remind() -> int:
    """Ask the owner of each article that is due, once for each date; how many were asked about.

    Nobody's articles are asked about with everyone who writes.
    """
    with transaction() as session:
        found = list(session.scalars(_untold().with_for_update(of=Article, key_share=True)))
        writers = _writers() if any(article.owner_id is None for article in found) else []
        for article in found:
            owner = session.get(User, article.owner_id or 0)
            text = _shown(article)
            if text is not None:
                params = {"title": text.title, "due": str(article.review_due)}
                to = [owner] if owner and owner.is_active else writers or _writers()
                notify(to, "article.review", params, path("kb.edit", id=text.id))
            article.review_told = article.review_due
        return len(found)


def confirm(article: Article, actor: Any) -> None:
    """Somebody has looked: it is right for another half a year."""
    article.review_due = today() + HALF_A_YEAR
    audit.record(actor, "article.reviewed", f"article:{article.id}", after={"due": str(article.review_due)})


def is_due() -> ColumnElement[bool]:
    """The condition on Article that it waits for a review."""
    return and_(Article.review_due.is_not(None), Article.review_due <= today())


def today() -> date:
    """The day it is in the programme's time zone."""
    return clock.now().astimezone(ZoneInfo(settings.programme_timezone)).date()


def _untold() -> Any:
    told = or_(Article.review_told.is_(None), Article.review_told < Article.review_due)
    alive = Article.translations.any(Translation.status == Status.PUBLISHED)
    statement = select(Article).where(is_due(), told, alive)
    return statement.options(selectinload(Article.translations)).order_by(Article.id).limit(200)


def _shown(article: Article) -> Translation | None:
    texts = {each.locale: each for each in article.translations if each.is_published}
    return next((texts[lang] for lang in (article.source_locale, *LOCALES) if lang in texts), None)


def _writers() -> list[User]:
    return list(db.session.scalars(select(User).where(User.role.in_(roles_with(Permission.KB_WRITE)))))
