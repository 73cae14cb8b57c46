"""What partners thought of the help they got."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.database import db
from .models import Ticket


class Rating(db.Model):
    """One solution of a ticket: asked about, and rated once. Solved again after a reopening, it gets another one."""

    __table_args__ = (UniqueConstraint("ticket_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    version: Mapped[int]  # 1, 2, …
    agent_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id"), index=True
    )  # who had it when it was solved
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    mail_due_at: Mapped[datetime | None] = mapped_column(index=True)  # None: nothing to mail, or mailed
    mailed_at: Mapped[datetime | None]
    score: Mapped[int | None]  # 1 to 5
    comment: Mapped[str] = mapped_column(default="")
    rater_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    rated_at: Mapped[datetime | None] = mapped_column(index=True)

    ticket: Mapped[Ticket] = relationship()
    agent: Mapped[User | None] = relationship(foreign_keys=[agent_id])
    rater: Mapped[User | None] = relationship(foreign_keys=[rater_id])
