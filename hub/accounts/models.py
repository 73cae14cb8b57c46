"""People and their sessions."""

from datetime import datetime
from typing import Any, cast

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Select, false
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..core import clock
from ..core.access import Permission, Role, can, visibility
from ..core.database import db


class User(UserMixin, db.Model):
    """A person who may sign in: of a partner, or of the programme's team."""

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # always lower case
    name: Mapped[str]
    role: Mapped[Role]
    locale: Mapped[str] = mapped_column(default="en")
    time_zone: Mapped[str] = mapped_column(default="Europe/Oslo")
    theme: Mapped[str] = mapped_column(default="auto")  # auto, light, dark
    password_hash: Mapped[str | None]
    totp_secret: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime | None]

    #: Of the session this user was loaded through; None outside a request.
    session_token = cast("str | None", None)

    @validates("email")
    def _lower(self, _key: str, value: str) -> str:
        return value.strip().lower()

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the session's token, not the user's id."""
        return self.session_token or ""


class UserSession(db.Model):
    """One signed-in browser. The cookie holds a token, this row its hash."""

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str | None]
    browser: Mapped[str | None]

    user: Mapped[User] = relationship()


@visibility(User)
def _users(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.USERS_MANAGE):
        return statement
    return statement.where(User.id == user.id) if user.is_authenticated else statement.where(false())


def by_email(email: str) -> Any:
    """Condition that finds a user by address, whatever its case."""
    return User.email == email.strip().lower()
