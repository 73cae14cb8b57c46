"""Questions that an article answered before they were asked."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock
from ..core.database import db
from ..kb.models import Translation


class Proof(StrEnum):
    """Did it hold what the person said?"""

    WAITING = "waiting"  # too early to tell
    HELD = "held"  # no ticket came
    ASKED = "asked"  # a ticket came all the same


class Deflection(db.Model):
    """Somebody who was about to ask said of an article that it solved the matter.

    It counts when they open no ticket until `until`. Who it was is known only as long as that is open, and what
    they were about to ask is not kept at all.
    """

    __table_args__ = (Index(None, "proof", "until"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    translation_id: Mapped[int] = mapped_column(ForeignKey("translation.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    until: Mapped[datetime]
    proof: Mapped[Proof] = mapped_column(default=Proof.WAITING)

    translation: Mapped[Translation] = relationship()
    user: Mapped[User | None] = relationship()
