"""Files on their way in, and articles on their way out as PDF."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from ...accounts.models import User
from ...core import clock
from ...core.database import db
from .articles import Translation


class ArrivalState(StrEnum):
    """Who has to do something next: the worker, a person, nobody."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    DISCARDED = "discarded"


class Arrival(db.Model):
    """An upload of articles. `problems` are [file, line, reason] in the words of who uploaded it.

    `beat_at` is when the worker last did something with it; `body` is forgotten at the end.
    """

    __tablename__ = "article_import"
    __table_args__ = (Index(None, "created_at", "id"), Index(None, "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str]
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    state: Mapped[ArrivalState] = mapped_column(default=ArrivalState.UPLOADED)
    category: Mapped[str] = mapped_column(default="")  # for articles that name none
    takes_broken: Mapped[bool] = mapped_column(default=False)
    takes_over: Mapped[bool] = mapped_column(default=False)  # what was edited in the hub since
    reason: Mapped[str] = mapped_column(default="")  # why it was refused
    problems: Mapped[list[Any]] = deferred(mapped_column(JSON, default=list))
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    done: Mapped[int] = mapped_column(default=0)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    beat_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    actor: Mapped[User | None] = relationship()

    @property
    def is_under_way(self) -> bool:
        """Is the worker at it, or about to be?"""
        return self.state in (
            ArrivalState.UPLOADED, ArrivalState.CHECKING, ArrivalState.CONFIRMED, ArrivalState.RUNNING,
        )  # fmt: skip


class KnownFile(db.Model):
    """A file of `content/` as it was when it and the hub last said the same.

    `name` is what it is about; its `path` within its part of the folder may change. Articles have no such row:
    they know their file themselves.
    """

    name: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


class PdfState(StrEnum):
    WANTED = "wanted"
    MADE = "made"
    FAILED = "failed"


class ArticlePdf(db.Model):
    """A text as PDF: of its state `touched`. It is made when somebody asks for it, and kept until it changes."""

    __tablename__ = "article_pdf"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id"), unique=True)
    touched: Mapped[int]
    state: Mapped[PdfState] = mapped_column(default=PdfState.WANTED)
    key: Mapped[str | None]  # in the storage
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)

    translation: Mapped[Translation] = relationship()
