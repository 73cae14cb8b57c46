"""What a provider has reported, so that a report that comes again changes nothing."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from ..core import clock
from ..core.database import db


class ProviderEvent(db.Model):
    """One event of a provider's webhook, under the provider's own id for it."""

    id: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
