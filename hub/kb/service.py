"""Writing and publishing articles."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import inspect, select

from ..core import clock, markup
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import LOCALES, _, _l
from ..core.jobs import ring
from ..core.slugs import slug as slug_of
from . import pictures
from .models import Article, Audience, Category, Redirect, Revision, Status, Translation

INDEX = "kb.index"
_WORDS_A_MINUTE = 180
_INTERNAL = re.compile(r"kb:([\w-]+)(#.*)?")
_PICTURE = re.compile(r"image:([0-9a-f]{20}\.[a-z]{3,4})")


class EditedMeanwhile(HubError):
    message = _l("Somebody else has saved this article since you opened it. Compare before you save.")


class SlugTaken(Invalid):
    message = _l("This address belongs, or has belonged, to another article.")


@dataclass(frozen=True)
class Text:
    """What a writer writes. An empty slug is made from the title."""

    title: str
    body: str
    summary: str = ""
    slug: str = ""
    tags: list[str] = field(default_factory=list)


def text_of(translation: Translation) -> Text:
    """What is written there now."""
    return Text(
        translation.title, translation.body, translation.summary, translation.slug, list(translation.tags)
    )


def link_of(target: str) -> str | None:
    """`kb:commission#rates` → an address that opens the article in the reader's language; `image:…` → a picture."""
    picture = _PICTURE.fullmatch(target)
    if picture:
        return f"/kb/pictures/{picture[1]}"
    found = _INTERNAL.fullmatch(target)
    return f"/kb/open/{found[1]}{found[2] or ''}" if found else None


def preview(body: str) -> Markup:
    """The article as readers will see it."""
    return markup.article(body, links=link_of).html


def create(
    author: Any,
    category: Category,
    audience: Audience,
    lang: str,
    text: Text,
    *,
    key: str = "",
    why: str = "",
) -> Translation:
    """A new article with its first translation, a draft. Raises SlugTaken, Invalid."""
    take_turns()
    article = Article(
        key=_free_key(key or slug_of(text.title)),
        category=category,
        audience=audience,
        owner_id=getattr(author, "id", None),
        source_locale=lang,
    )
    db.session.add(article)
    db.session.flush()
    return translate(article, author, lang, text, why=why)


def translate(article: Article, author: Any, lang: str, text: Text, *, why: str = "") -> Translation:
    """A new translation of an article, a draft. Raises Invalid when there is one already."""
    if lang not in LOCALES:
        raise Invalid(locale=[_("The hub does not speak this language.")])
    take_turns()
    # Two who translate it at once wait for each other.
    db.session.execute(select(Article.id).where(Article.id == article.id).with_for_update(key_share=True))
    here = Translation.article_id == article.id, Translation.locale == lang
    if db.session.scalar(select(Translation.id).where(*here)):
        raise Invalid(locale=[_("The article has a translation into this language already.")])
    source = article.source
    translation = Translation(article=article, locale=lang, slug="", title="", body="", tags=[])
    with db.session.no_autoflush:
        _write(translation, author, text, why)
    translation.source_revision = source.revision if source else None
    return translation


def revise(
    translation: Translation, author: Any, text: Text, *, seen: int, why: str = "", front: str | None = None
) -> None:
    """A new text for a translation. Raises EditedMeanwhile when it moved past revision `seen`."""
    _lock(translation)
    if translation.revision != seen:
        raise EditedMeanwhile
    _write(translation, author, text, why, front)


def restore(translation: Translation, author: Any, revision: Revision) -> None:
    """Make an old revision the present text again, as a new revision."""
    _lock(translation)
    text = Text(revision.title, revision.body, revision.summary, translation.slug, translation.tags)
    _write(translation, author, text, _("Revision %(number)s restored", number=revision.number))


def file_under(article: Article, category: Category, audience: Audience, readers: list[str]) -> None:
    """Change what all translations share; the index has to know who may see them.

    `readers` are the groups of an article for chosen partners. Raises Invalid when there are none.
    """
    readers = sorted(set(readers)) if audience is Audience.CHOSEN else []
    if audience is Audience.CHOSEN and not readers:
        raise Invalid(audience=[_("Choose at least one level or tag.")])
    if (article.category, article.audience, article.readers) == (category, audience, readers):
        return
    article.category, article.audience, article.readers = category, audience, readers
    for translation in article.translations:
        mark_stale(translation)


def publish(translation: Translation, at: datetime | None = None) -> None:
    """Publish now, or at a moment to come. Raises HubError where readers would lose what they see until then."""
    if at and at > clock.now():
        if translation.is_published:
            raise HubError(_l("Readers see this article already. What you save is theirs at once."))
        translation.status, translation.publish_at = Status.SCHEDULED, at
        mark_stale(translation)
        return
    translation.publish()
    mark_stale(translation)


def archive(translation: Translation) -> None:
    """Take a translation away from its readers."""
    translation.archive()
    mark_stale(translation)


def redraft(translation: Translation) -> None:
    """Take what is scheduled or archived back to the desk. Raises HubError for what readers see."""
    if translation.is_published:
        raise HubError(_l("Readers see this article. Archive it to take it away."))
    translation.redraft()
    mark_stale(translation)


def mark_stale(translation: Translation) -> None:
    """Tell the index, soon."""
    translation.is_stale = True
    # Counted by the database: two who count at once count twice.
    is_kept: bool = inspect(translation).persistent
    translation.touched = Translation.touched + 1 if is_kept else (translation.touched or 0) + 1
    ring(INDEX)


@dataclass(frozen=True)
class Derived:
    """What follows from a body."""

    html: str
    plain: str
    toc: list[dict[str, Any]]
    minutes: int


def derive(body: str) -> Derived:
    """Page, plain text and contents of a body. Raises Invalid."""
    rendered = markup.article(body, links=link_of)
    toc = [{"level": h.level, "id": h.id, "title": h.title} for h in rendered.headings]
    minutes = max(1, round(len(rendered.plain.split()) / _WORDS_A_MINUTE))
    return Derived(str(rendered.html), rendered.plain, toc, minutes)


def render(translation: Translation, derived: Derived | None = None) -> None:
    """Put what follows from the body beside it; `derived` if that is known."""
    derived = derived or derive(translation.body)
    translation.html, translation.plain = derived.html, derived.plain
    translation.toc, translation.minutes = derived.toc, derived.minutes


def take_turns() -> None:
    """Whoever else names something new now waits: of two equal titles the second one is numbered."""
    turn = select(Category.id).order_by(Category.id).limit(1)
    db.session.execute(turn.with_for_update(key_share=True))


def _lock(translation: Translation) -> None:
    """Whoever else writes this text now waits, and then sees which revision it is at."""
    db.session.refresh(translation, ["revision"], with_for_update=True)


def _write(translation: Translation, author: Any, text: Text, why: str, front: str | None = None) -> None:
    _move(translation, text.slug or slug_of(text.title, fallback="article"), exact=bool(text.slug))
    translation.title, translation.summary = text.title, text.summary
    translation.body, translation.tags = text.body, list(text.tags)
    translation.revision = (translation.revision or 0) + 1
    translation.updated_at = clock.now()
    render(translation)
    db.session.add(translation)
    db.session.flush()
    db.session.add(
        Revision(
            translation_id=translation.id,
            number=translation.revision,
            title=text.title,
            summary=text.summary,
            body=text.body,
            front=front,
            author_id=getattr(author, "id", None),
            why=why,
        )
    )
    pictures.note_uses(translation)
    mark_stale(translation)
    db.session.flush()


def _move(translation: Translation, slug: str, *, exact: bool) -> None:
    """Give a translation its slug, and leave a redirect at the old one. Raises SlugTaken."""
    if slug == translation.slug:
        return
    wanted, number = slug, 1
    while _is_taken(translation, slug):
        if exact:
            raise SlugTaken(slug=[SlugTaken.message])
        number += 1
        slug = f"{wanted}-{number}"
    here = db.session.scalar(
        select(Redirect).where(Redirect.locale == translation.locale, Redirect.slug == slug)
    )
    if here:
        db.session.delete(here)
    if translation.id and translation.slug:
        db.session.add(
            Redirect(locale=translation.locale, slug=translation.slug, translation_id=translation.id)
        )
    translation.slug = slug


def _is_taken(translation: Translation, slug: str) -> bool:
    other = select(Translation.id).where(Translation.locale == translation.locale, Translation.slug == slug)
    moved = select(Redirect.translation_id).where(
        Redirect.locale == translation.locale, Redirect.slug == slug
    )
    owners = {*db.session.scalars(other), *db.session.scalars(moved)}
    return bool(owners - {translation.id})


def _free_key(wanted: str) -> str:
    key, number = wanted, 1
    while db.session.scalar(select(Article.id).where(Article.key == key)):
        number += 1
        key = f"{wanted}-{number}"
    return key
