"""What readers ask and answer under an article."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    Text,
    UniqueConstraint,
    exists,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from ...accounts.models import User
from ...core import clock
from ...core.access import Permission, can, visibility, visible
from ...core.database import db
from .articles import Translation


class Post(db.Model):
    """A question under an article, or, with `question_id`, an answer to one.

    `html` follows from `body`. At most one answer of a question is accepted. What is hidden is seen by the team
    and its author alone.
    """

    __tablename__ = "article_post"
    __table_args__ = (
        UniqueConstraint("author_id", "client_id"),
        Index("ix_article_post_under", "translation_id", "question_id", "id"),
        Index("ix_article_post_asked", "question_id", "id"),
        Index(
            "uq_article_post_accepted",
            "question_id",
            unique=True,
            sqlite_where=text("accepted_at IS NOT NULL"),
            postgresql_where=text("accepted_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id", ondelete="CASCADE"))
    question_id: Mapped[int | None] = mapped_column(ForeignKey("article_post.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    client_id: Mapped[str]  # a repeated one is the same post, sent again
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    edited_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    folded_at: Mapped[datetime | None]  # when the article took it in

    translation: Mapped[Translation] = relationship()
    author: Mapped[User] = relationship()
    question: Mapped["Post | None"] = relationship(remote_side=[id], back_populates="answers")
    answers: Mapped[list["Post"]] = relationship(
        back_populates="question", cascade="all, delete-orphan", passive_deletes=True, order_by="Post.id"
    )

    @property
    def is_question(self) -> bool:
        return self.question_id is None


def shown_to(user: Any) -> Any:
    """The condition on Post that it is not hidden from somebody who may read the article."""
    if can(user, Permission.KB_READ_STAFF):
        return true()
    mine = getattr(user, "id", None)
    shown = Post.hidden_at.is_(None)
    return shown if mine is None else or_(shown, Post.author_id == mine)


@visibility(Post)
def _posts(statement: Select[Any], user: Any) -> Select[Any]:
    """Whoever may read the article may read what is said under it."""
    if can(user, Permission.KB_READ_STAFF):
        return statement
    readable = visible(select(Translation), user).where(Translation.id == Post.translation_id)
    asked = aliased(Post)
    under_hidden = exists().where(asked.id == Post.question_id, asked.hidden_at.is_not(None))
    return statement.where(readable.exists(), shown_to(user), ~under_hidden)
