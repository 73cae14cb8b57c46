"""What was searched for, who waits for an answer, and what the team says about words."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..core import clock
from ..core.database import db
from ..kb.models import Translation


def plain(text: str) -> str:
    """A question as it is counted: without case and needless spaces."""
    return " ".join(text.casefold().split())[:200]


class LoggedSearch(db.Model):
    """A question asked on the search page, kept as long as the setting says and no longer.

    `token` lets the page that shows the results say which of them was opened. The team's own are not kept.
    """

    __table_args__ = (Index(None, "results", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    lang: Mapped[str]
    text: Mapped[str]
    results: Mapped[int]
    clicked: Mapped[str | None]  # the key of the document that was opened
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)


class Wish(db.Model):
    """Somebody wants to know when there is an answer to a question that had none."""

    __table_args__ = (UniqueConstraint("user_id", "lang", "text"), Index(None, "lang", "text"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    lang: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class Answering(db.Model):
    """An article that was begun because of a question; who waits is told when it is published."""

    __table_args__ = (UniqueConstraint("lang", "text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str]
    text: Mapped[str]
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id", ondelete="CASCADE"), index=True)
    told_at: Mapped[datetime | None]

    translation: Mapped[Translation] = relationship()


class EqualWords(db.Model):
    """Words of one language that find each other."""

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str] = mapped_column(index=True)
    words: Mapped[list[str]] = mapped_column(JSON)


class BestAnswer(db.Model):
    """The article that comes first when somebody asks exactly this, in whatever forms of the words."""

    __table_args__ = (UniqueConstraint("lang", "text"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lang: Mapped[str]
    text: Mapped[str]
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id", ondelete="CASCADE"), index=True)

    translation: Mapped[Translation] = relationship()
