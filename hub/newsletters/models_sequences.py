"""Sequences: newsletters that go out one after the other to whoever something has happened to."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can, visibility
from ..core.database import db
from .models import Newsletter, Status, Topic


class Trigger(StrEnum):
    """What brings people in."""

    APPROVED = "approved"
    FIRST_SALE = "first_sale"
    SILENT = "silent"


class Sequence(db.Model):
    """Its steps are newsletters: their ledgers grow as people come to them."""

    __tablename__ = "newsletter_sequence"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    trigger: Mapped[Trigger]
    #: Of silence, before it brings people in.
    days: Mapped[int] = mapped_column(default=60)
    topic: Mapped[Topic]
    tracks_clicks: Mapped[bool] = mapped_column(default=False)
    is_on: Mapped[bool] = mapped_column(default=False)
    #: What happened before it was first switched on brings nobody in.
    since: Mapped[datetime | None]
    #: The worker is still bringing in whom it has happened to before.
    brings_everyone: Mapped[bool] = mapped_column(default=False, server_default=false())
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    author: Mapped[User | None] = relationship()
    all_steps: Mapped[list[Newsletter]] = relationship(order_by=Newsletter.position)

    @property
    def steps(self) -> list[Newsletter]:
        """Without those that were taken out."""
        return [each for each in self.all_steps if each.status is not Status.CANCELLED]


class SequenceEntry(db.Model):
    """One person's way through a sequence."""

    __tablename__ = "newsletter_entry"
    __table_args__ = (
        UniqueConstraint("sequence_id", "user_id", "occasion"),
        Index("ix_newsletter_entry_due", "sequence_id", "left_at", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("newsletter_sequence.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id", ondelete="CASCADE"), index=True)
    #: What must not bring them in twice: silence counts by when it began, everything else once for all.
    occasion: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    #: The next step is the first that stands here or later, and its moment.
    position: Mapped[int] = mapped_column(default=1)
    next_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    reason: Mapped[str | None]  # why they left: `done`, `gone`, `active`, or why they want no mail

    sequence: Mapped[Sequence] = relationship()


@visibility(Sequence)
def _sequences(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.NEWSLETTERS_MANAGE) else statement.where(false())
