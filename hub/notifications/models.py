"""Notifications of people, and whether they want mail about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, text
from sqlalchemy.orm import Mapped, mapped_column

from ..core import clock
from ..core.access import visibility
from ..core.database import db


class Notification(db.Model):
    """What happened, as a kind (see kinds.py) and its parameters: the words are chosen when it is read."""

    __table_args__ = (
        Index("ix_notification_user_id_read_at", "user_id", "read_at"),
        Index("ix_notification_mailed_at", "mailed_at", "read_at", "created_at"),
        # Who knows already, and what a page that opens has shown: somebody may have thousands unread.
        Index(
            "ix_notification_unread_url",
            "url",
            "user_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    params: Mapped[Any] = mapped_column(JSON)
    url: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]  # also set on what needs no mail any more


class MailChoice(db.Model):
    """A person's word on mail about what they have not read; without a row they get it."""

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    by_mail: Mapped[bool]


@visibility(Notification)
def _own(statement: Select[Any], user: Any) -> Select[Any]:
    return statement.where(Notification.user_id == user.id)
