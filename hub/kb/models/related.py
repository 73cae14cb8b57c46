"""What texts have to do with each other: worked out behind the pages, so that showing it costs one look."""

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ...core.database import db


class Gist(db.Model):
    """The words a text is made of, as often as they count; of `revision`."""

    __tablename__ = "article_gist"

    translation_id: Mapped[int] = mapped_column(
        ForeignKey("translation.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(index=True)
    revision: Mapped[int]
    words: Mapped[dict[str, float]] = mapped_column(JSON)


class ReadTogether(db.Model):
    """Two articles that the same readers read in one sitting, the smaller id first. Nobody's name is kept."""

    __tablename__ = "article_read_together"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    weight: Mapped[float]  # grows by one each time, and fades with the days


class Related(db.Model):
    """A text that may help the reader of another one, in the same language; the higher the score the likelier."""

    __tablename__ = "article_related"
    __table_args__ = (Index(None, "translation_id", "score"),)

    translation_id: Mapped[int] = mapped_column(
        ForeignKey("translation.id", ondelete="CASCADE"), primary_key=True
    )
    other_id: Mapped[int] = mapped_column(
        ForeignKey("translation.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    score: Mapped[float]
