"""Articles, their translations and revisions; categories; old addresses; readers' feedback."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from ..core.i18n import locale


class Audience(StrEnum):
    """Who may read an article once it is published."""

    PUBLIC = "public"
    PARTNERS = "partners"
    STAFF = "staff"


class Status(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Reason(StrEnum):
    """Why an article did not help."""

    UNCLEAR = "unclear"
    OTHER_CASE = "other_case"
    OUTDATED = "outdated"


class Category(db.Model):
    """A shelf of the knowledge base; its texts by language."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    order: Mapped[int] = mapped_column(default=100)
    icon: Mapped[str] = mapped_column(default="book-2")
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    descriptions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)

    def name(self, lang: str | None = None) -> str:
        """The name in a language (the reader's), or the nearest there is."""
        return _text(self.names, lang or locale()) or self.key

    def description(self, lang: str | None = None) -> str:
        return _text(self.descriptions, lang or locale())


def _text(texts: dict[str, str], lang: str) -> str:
    return texts.get(lang) or texts.get("en") or next(iter(texts.values()), "")


class Article(db.Model):
    """What all translations share. `key` is its name in links (`kb:commission`) and files."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    audience: Mapped[Audience] = mapped_column(default=Audience.PARTNERS)
    review_due: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    category: Mapped[Category] = relationship()
    translations: Mapped[list["Translation"]] = relationship(back_populates="article")


class Translation(db.Model):
    """An article in one language.

    `html`, `plain` and `toc` follow from `body`; they are kept because reading is a thousand times more
    frequent than writing. `is_stale` says that the search index does not know the present text yet.
    `synced_*` tell which revision, and which file, `hub content sync` saw last.
    """

    __table_args__ = (
        UniqueConstraint("article_id", "locale"),
        UniqueConstraint("locale", "slug"),
        Index(None, "is_stale", "id"),
        Index(None, "status", "locale"),
        Index(None, "updated_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), index=True)
    locale: Mapped[str]
    slug: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = deferred(mapped_column(Text))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    html: Mapped[str] = deferred(mapped_column(Text, default=""))
    plain: Mapped[str] = deferred(mapped_column(Text, default=""))
    toc: Mapped[list[dict[str, Any]]] = deferred(mapped_column(JSON, default=list))
    minutes: Mapped[int] = mapped_column(default=1)
    status: Mapped[Status] = mapped_column(default=Status.DRAFT)
    revision: Mapped[int] = mapped_column(default=0)
    source_revision: Mapped[int | None]
    publish_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    is_stale: Mapped[bool] = mapped_column(default=True)
    synced_revision: Mapped[int | None]
    synced_sha256: Mapped[str | None]

    article: Mapped[Article] = relationship(back_populates="translations")
    revisions: Mapped[list["Revision"]] = relationship(
        back_populates="translation", order_by="Revision.number"
    )

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/kb/{self.locale}/{self.slug}"

    @property
    def is_published(self) -> bool:
        return self.status is Status.PUBLISHED

    def publish(self) -> None:
        """Let its audience read it from now on."""
        self.status, self.publish_at = Status.PUBLISHED, None
        self.published_at = self.published_at or clock.now()
        self.is_stale = True

    def archive(self) -> None:
        """Take it away from its readers; the team still finds it."""
        self.status, self.publish_at, self.is_stale = Status.ARCHIVED, None, True


class Revision(db.Model):
    """A text as it once was; never changed. `front` is the head of the file it came from, word for word."""

    __table_args__ = (UniqueConstraint("translation_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id"))
    number: Mapped[int]
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = deferred(mapped_column(Text))
    front: Mapped[str | None] = deferred(mapped_column(Text))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)

    translation: Mapped[Translation] = relationship(back_populates="revisions")


class Redirect(db.Model):
    """A former slug of a translation; it is never given to another one."""

    __table_args__ = (UniqueConstraint("locale", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str]
    slug: Mapped[str]
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id"), index=True)


class Feedback(db.Model):
    """Whether an article helped, and if not, why; a queue for the team."""

    __table_args__ = (Index(None, "handled_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    is_helpful: Mapped[bool]
    reason: Mapped[Reason | None]
    comment: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    handled_at: Mapped[datetime | None]

    translation: Mapped[Translation] = relationship()


@visibility(Translation)
def _translations(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.KB_READ_STAFF):
        return statement
    open_to = [Audience.PUBLIC, Audience.PARTNERS] if can(user, Permission.KB_READ) else [Audience.PUBLIC]
    readable = Translation.article.has(Article.audience.in_(open_to))
    return statement.where(Translation.status == Status.PUBLISHED, readable)
