"""Who changed what, when and from where; rows are only ever added."""

from datetime import datetime
from typing import Any

from flask import has_request_context, request
from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from . import clock
from .database import db


class AuditEvent(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    action: Mapped[str] = mapped_column(index=True)  # "partner.edited"
    object: Mapped[str] = mapped_column(index=True)  # "partner:17"
    before: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    after: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    address: Mapped[str | None]


def record(actor: Any, action: str, object: str, *, before: Any = None, after: Any = None) -> None:
    """Add an audit event to the open transaction. Never put secrets in `before` or `after`."""
    address = request.remote_addr if has_request_context() else None
    actor_id = getattr(actor, "id", None)
    db.session.add(
        AuditEvent(
            at=clock.now(),
            actor_id=actor_id,
            action=action,
            object=object,
            before=before,
            after=after,
            address=address,
        )
    )
