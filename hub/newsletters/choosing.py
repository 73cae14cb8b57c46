"""What can be put into a text as a block."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import String, cast, or_, select

from ..core import clock, i18n
from ..core.database import db
from ..kb.models import Article, Audience, Translation
from ..kb.models import Status as Published
from ..materials.models import Asset, Visibility, usable_now
from ..training.models import Webinar, WebinarStatus
from .blocks import Block, Kind
from .cards import STORY_TAG

MOST = 12
#: A banner ends “soon” until the next monthly update has been read.
ENDING_WITHIN = timedelta(days=40)


@dataclass(frozen=True)
class Offer:
    """A block ready to be put in, with what it would show."""

    block: Block
    title: str
    about: str


def offers(kind: Kind, words: str, locale: str) -> list[Offer]:
    """The newest of a kind in a language, or those with some words in their title."""
    finder = _FINDERS.get(kind)
    return finder(words.strip(), locale) if finder else []


def stories() -> Any:
    """Condition: the translation is a success story."""
    return cast(Translation.tags, String).contains(f'"{STORY_TAG}"')


def _articles(words: str, locale: str) -> list[Offer]:
    return [
        _article(Kind.ARTICLE, *row) for row in db.session.execute(_readable(words, locale).where(~stories()))
    ]


def _stories(words: str, locale: str) -> list[Offer]:
    return [
        _article(Kind.STORY, *row) for row in db.session.execute(_readable(words, locale).where(stories()))
    ]


def _readable(words: str, locale: str) -> Any:
    return (
        select(Article.key, Translation.title, Translation.published_at)
        .join(Article, Article.id == Translation.article_id)
        .where(
            Translation.locale == locale,
            Translation.status == Published.PUBLISHED,
            Article.audience != Audience.STAFF,
            Translation.title.icontains(words, autoescape=True),
        )
        .order_by(Translation.published_at.desc(), Translation.id.desc())
        .limit(MOST)
    )


def _article(kind: Kind, key: str, title: str, published_at: Any) -> Offer:
    return Offer(Block(kind, key), title, i18n.format_date(published_at) if published_at else "")


def _banners(words: str, locale: str) -> list[Offer]:
    usable = select(Asset).where(
        usable_now(),
        Asset.visibility != Visibility.STAFF,
        or_(Asset.locale == locale, Asset.locale.is_(None)),
        Asset.title.icontains(words, autoescape=True),
    )
    newest = usable.order_by(Asset.released_at.desc(), Asset.id.desc()).limit(MOST)
    return [
        Offer(Block(Kind.BANNER, each.public_id), each.title, each.size or "")
        for each in db.session.scalars(newest)
    ]


def ending() -> Any:
    """Banners whose last day is near, the nearest first."""
    soon = Asset.valid_until <= clock.now() + ENDING_WITHIN
    shown = select(Asset).where(usable_now(), Asset.visibility != Visibility.STAFF, soon)
    return shown.order_by(Asset.valid_until, Asset.id).limit(MOST)


def _ending(words: str, _locale: str) -> list[Offer]:
    found = ending().where(Asset.title.icontains(words, autoescape=True))
    return [
        Offer(Block(Kind.ENDING, each.public_id), each.title, i18n.format_date(each.last_day))
        for each in db.session.scalars(found)
    ]


def _webinars(words: str, _locale: str) -> list[Offer]:
    ahead = (
        select(Webinar)
        .where(Webinar.status == WebinarStatus.SCHEDULED, Webinar.ends_at > clock.now())
        .where(Webinar.title.icontains(words, autoescape=True))
        .order_by(Webinar.starts_at, Webinar.id)
    )
    return [_webinar(Kind.WEBINAR, each) for each in db.session.scalars(ahead.limit(MOST))]


def _recordings(words: str, _locale: str) -> list[Offer]:
    recorded = (
        select(Webinar)
        .where(Webinar.recording_url != "", Webinar.title.icontains(words, autoescape=True))
        .order_by(Webinar.starts_at.desc(), Webinar.id)
    )
    return [_webinar(Kind.RECORDING, each) for each in db.session.scalars(recorded.limit(MOST))]


def _webinar(kind: Kind, webinar: Webinar) -> Offer:
    about = (
        f"{i18n.format_datetime(webinar.starts_at)} · {i18n.LOCALES.get(webinar.language, webinar.language)}"
    )
    return Offer(Block(kind, str(webinar.id)), webinar.title, about)


_FINDERS: dict[Kind, Callable[[str, str], list[Offer]]] = {
    Kind.ARTICLE: _articles,
    Kind.STORY: _stories,
    Kind.BANNER: _banners,
    Kind.ENDING: _ending,
    Kind.WEBINAR: _webinars,
    Kind.RECORDING: _recordings,
}
