"""Articles, their translations and revisions; categories; old addresses; readers' feedback."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, Text, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship, validates

from ...accounts.models import User
from ...core import clock
from ...core.access import Permission, can, visibility
from ...core.database import db
from ...core.i18n import locale
from ...partners import groups
from ...partners.models import Membership, Partner, PartnerStatus


class Audience(StrEnum):
    """Who may read an article once it is published."""

    PUBLIC = "public"
    PARTNERS = "partners"
    CHOSEN = "chosen"  # partners of some levels, or with some tags
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
    """A shelf of the knowledge base, perhaps within another; its texts by language."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)
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
    """What all translations share. `key` is its name in links (`kb:commission`) and files.

    The text in `source_locale` is the source; the others are made from it. `review_told` is the last
    `review_due` that somebody was reminded of.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    audience: Mapped[Audience] = mapped_column(default=Audience.PARTNERS)
    source_locale: Mapped[str] = mapped_column(default="en", server_default="en")
    review_due: Mapped[date | None] = mapped_column(index=True)
    review_told: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    category: Mapped[Category] = relationship()
    owner: Mapped[User | None] = relationship()
    translations: Mapped[list["Translation"]] = relationship(back_populates="article")
    reader_rows: Mapped[list["ArticleReader"]] = relationship(
        cascade="all, delete-orphan", order_by="ArticleReader.token"
    )

    @property
    def source(self) -> "Translation | None":
        """The text that the others are made from."""
        return next((each for each in self.translations if each.locale == self.source_locale), None)

    @property
    def readers(self) -> list[str]:
        """Of an article for chosen partners: `tier:gold`, `tag:video`."""
        return [row.token for row in self.reader_rows]

    @readers.setter
    def readers(self, tokens: list[str]) -> None:
        kept = {row.token: row for row in self.reader_rows}
        self.reader_rows = [kept.get(token) or ArticleReader(token=token) for token in sorted(set(tokens))]


class ArticleReader(db.Model):
    """A group of partners that an article for chosen partners is for; belonging to one of them is enough."""

    __table_args__ = (UniqueConstraint("article_id", "token"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    token: Mapped[str] = mapped_column(index=True)
    needle: Mapped[str]  # a tag as it stands in the list of a partner's tags; empty for a level

    @validates("token")
    def _needle(self, _key: str, token: str) -> str:
        self.needle = groups.needle(token)
        return token


class Translation(db.Model):
    """An article in one language.

    `html`, `plain` and `toc` follow from `body`; they are kept because reading is a thousand times more
    frequent than writing. `is_stale` says that the search index does not know the present state yet, and
    `touched` counts these states, so that the index marks as known only what it has read.
    `source_revision` is the revision of the source this was made from; 0 is one older than any kept here.
    `synced_*` tell which revision and state, and which file, an import or `hub content sync` saw last.
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
    touched: Mapped[int] = mapped_column(default=0, server_default="0")
    synced_revision: Mapped[int | None]
    synced_sha256: Mapped[str | None]
    synced_status: Mapped[Status | None]

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

    @property
    def is_outdated(self) -> bool:
        """Has the source moved on since this was made from it? Needs the article's translations."""
        source = self.article.source
        if source is None or source is self or self.source_revision is None:
            return False
        return source.revision > self.source_revision

    def publish(self) -> None:
        """Let its audience read it from now on."""
        self.status, self.publish_at = Status.PUBLISHED, None
        self.published_at = self.published_at or clock.now()

    def archive(self) -> None:
        """Take it away from its readers; the team still finds it."""
        self.status, self.publish_at = Status.ARCHIVED, None

    def redraft(self) -> None:
        """Back to the desk: from what was scheduled or archived."""
        self.status, self.publish_at = Status.DRAFT, None


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


def readable_by(user: Any) -> Any:
    """The condition on Article that `user` belongs to its audience."""
    open_to = [Audience.PUBLIC, Audience.PARTNERS] if can(user, Permission.KB_READ) else [Audience.PUBLIC]
    readable = Article.audience.in_(open_to)
    if not can(user, Permission.PARTNERS_OWN):
        return readable
    # All in SQL: the condition may be part of a statement built once for every partner.
    chosen = (
        select(ArticleReader.article_id)
        .join(Partner, groups.has_group(ArticleReader.token, ArticleReader.needle))
        .join(Membership, Membership.partner_id == Partner.id)
        .where(Membership.user_id == user.id, Partner.status == PartnerStatus.ACTIVE)
    )
    return or_(readable, and_(Article.audience == Audience.CHOSEN, Article.id.in_(chosen)))


@visibility(Translation)
def _translations(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.KB_READ_STAFF):
        return statement
    return statement.where(Translation.status == Status.PUBLISHED, Translation.article.has(readable_by(user)))
