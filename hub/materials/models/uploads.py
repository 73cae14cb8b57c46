"""Files on their way into the library."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Select
from sqlalchemy.orm import Mapped, mapped_column

from ...core import clock
from ...core.access import visibility
from ...core.database import db


class UploadState(StrEnum):
    RECEIVING = "receiving"
    READY = "ready"  # complete, looked into, and waits to be added
    REFUSED = "refused"


class Upload(db.Model):
    """A file that arrives in pieces. Its content is a file named by `token`, whose length says how much is there."""

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_urlsafe(18))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str]  # as the person's computer calls it
    size: Mapped[int] = mapped_column(BigInteger)  # bytes there will be
    state: Mapped[UploadState] = mapped_column(default=UploadState.RECEIVING)
    error: Mapped[str | None]  # why it was refused, in the person's language
    modified: Mapped[str | None]  # when, as the browser says: by name, size and this the file is known again
    sha256: Mapped[str | None]  # of what would be kept
    facts: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # what it is, once looked into
    begun_at: Mapped[datetime] = mapped_column(default=clock.now)
    touched_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


@visibility(Upload)
def _own(statement: Select[Any], user: Any) -> Select[Any]:
    return statement.where(Upload.user_id == user.id)
