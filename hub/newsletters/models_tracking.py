"""What readers opened and followed, where a newsletter counts it and the reader does not mind."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..core import clock
from ..core.database import db

#: Among the values of a row of the ledger: this mail is not counted.
UNTRACKED = "untracked"


class Link(db.Model):
    """An address in a newsletter that counts its links: mails hold its number, so that they lead nowhere else."""

    __tablename__ = "newsletter_link"
    __table_args__ = (UniqueConstraint("newsletter_id", "url"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(Text)


class LinkClick(db.Model):
    """One reader's mail and one of its links: when first followed, by the reader and by a program."""

    __tablename__ = "newsletter_click"
    __table_args__ = (UniqueConstraint("link_id", "delivery_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("newsletter_link.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    clicked_at: Mapped[datetime | None]
    machine_at: Mapped[datetime | None]


class Untracked(db.Model):
    """An address whose opens and clicks are not counted."""

    __tablename__ = "newsletter_untracked"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
