"""People and their sessions."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Select, false
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..core import clock
from ..core.access import Permission, Role, can, is_staff, visibility
from ..core.database import db
from ..core.i18n import N_, _

#: Name of tokens made by `hub token create`; shown in the reader's language.
COMMAND_LINE = N_("command line")


class User(UserMixin, db.Model):
    """A person who may sign in: of a partner, or of the programme's team."""

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # always lower case
    name: Mapped[str] = mapped_column(index=True)
    role: Mapped[Role]
    locale: Mapped[str] = mapped_column(default="en")
    time_zone: Mapped[str] = mapped_column(default="Europe/Oslo")
    theme: Mapped[str] = mapped_column(default="auto")  # auto, light, dark
    password_hash: Mapped[str | None]
    totp_secret: Mapped[str | None]
    totp_step: Mapped[int | None]  # time step of the last code accepted: none is accepted twice
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime | None]

    #: What this user was loaded through: a browser's session, or neither for an API token.
    session_token = cast("str | None", None)
    current_session = cast("UserSession | None", None)
    #: Their last visit was written down a while ago. Known from the start: asking again after a commit costs a statement.
    is_visit_due = False

    @validates("email")
    def _lower(self, _key: str, value: str) -> str:
        return value.strip().lower()

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def is_staff(self) -> bool:
        return is_staff(self)

    @property
    def is_invited(self) -> bool:
        """Has an invitation, and has not chosen a password yet."""
        return self.password_hash is None

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
    confirmed_at: Mapped[datetime] = mapped_column(default=clock.now)  # when the password was last given
    expires_at: Mapped[datetime]
    is_kept: Mapped[bool] = mapped_column(default=True)  # lives on when the browser is closed
    ended_at: Mapped[datetime | None]
    address: Mapped[str | None]
    browser: Mapped[str | None]

    user: Mapped[User] = relationship()


class LinkPurpose(StrEnum):
    """What a link that was sent by mail lets its reader do."""

    RESET = "reset"
    INVITATION = "invitation"


class OneTimeLink(db.Model):
    """A link sent by mail, used once. The mail holds a token, this row its hash."""

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[LinkPurpose]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class RecoveryCode(db.Model):
    """Signs in once instead of the second factor."""

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class ApiToken(db.Model):
    """Lets a program act as a person. The program holds the token, this row its hash."""

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    @property
    def label(self) -> str:
        """What the token is for, as its person reads it."""
        return _(COMMAND_LINE) if self.name == COMMAND_LINE else self.name


class Attempt(db.Model):
    """Someone tried to prove who they are, or asked for a link. Rows, so that all processes count alike."""

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(
        index=True
    )  # hash of what is counted: an account, an account from an address
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


@visibility(User)
def _users(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.USERS_MANAGE):
        return statement
    return statement.where(User.id == user.id) if user.is_authenticated else statement.where(false())


@visibility(UserSession)
def _sessions(statement: Select[Any], user: Any) -> Select[Any]:
    return (
        statement.where(UserSession.user_id == user.id) if user.is_authenticated else statement.where(false())
    )


@visibility(ApiToken)
def _tokens(statement: Select[Any], user: Any) -> Select[Any]:
    return statement.where(ApiToken.user_id == user.id) if user.is_authenticated else statement.where(false())


def by_email(email: str) -> Any:
    """Condition that finds a user by address, whatever its case."""
    return User.email == email.strip().lower()
