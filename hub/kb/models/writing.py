"""What writing needs: pictures in articles, and drafts that are kept while somebody types."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from ...core import clock
from ...core.access import Permission, can, visibility, visible
from ...core.database import db
from .articles import Translation


class Picture(db.Model):
    """An image that articles show as `![…](image:<name>)`; `name` follows from its content."""

    __tablename__ = "article_picture"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # "3f2a….png"
    key: Mapped[str]  # in the storage
    mime: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)


class PictureUse(db.Model):
    """A text that shows a picture: who may read one of them may see it."""

    __tablename__ = "article_picture_use"
    __table_args__ = (UniqueConstraint("picture_id", "translation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("article_picture.id"))
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id"), index=True)


class Draft(db.Model):
    """Somebody at an editor: what they have typed and not saved, and when they were last there.

    `place` is the text's id, or for something new `new-<tab>`, of a translation of a text `new:<id>-<tab>`.
    """

    __tablename__ = "article_draft"
    __table_args__ = (UniqueConstraint("user_id", "place"), Index(None, "place", "here_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    place: Mapped[str]
    fields: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    saved_at: Mapped[datetime | None]
    here_at: Mapped[datetime] = mapped_column(default=clock.now)


@visibility(Picture)
def _pictures(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.KB_READ_STAFF):
        return statement
    readable = visible(select(Translation), user).with_only_columns(Translation.id)
    shown = select(PictureUse.picture_id).where(PictureUse.translation_id.in_(readable))
    return statement.where(Picture.id.in_(shown))
