"""Visitors who asked for public news by mail, and confirmed it."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..core import clock
from ..core.database import db
from .models import Topic


class Subscription(db.Model):
    """An address that wants a topic. It says nothing of who that is; until it is confirmed, there is no row."""

    __tablename__ = "newsletter_subscription"
    __table_args__ = (
        UniqueConstraint("address", "topic"),
        Index("ix_newsletter_subscription_confirmed_at_id", "confirmed_at", "id"),
        Index("ix_newsletter_subscription_topic_id", "topic", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    topic: Mapped[Topic]
    locale: Mapped[str]
    confirmed_at: Mapped[datetime] = mapped_column(default=clock.now)
