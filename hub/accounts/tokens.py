"""API tokens: a program acts as a person, with that person's rights."""

from typing import Any

from flask import Request
from sqlalchemy import bindparam, select

from ..core import clock, live
from ..core.database import db
from ..core.extensions import login_manager
from .models import ApiToken, User
from .secrets import fingerprint, token

PREFIX = "hub_"
#: Where a bearer token opens something: never on the pages where accounts are managed.
PATHS = ("/api/", "/socket.io")


def create(user: User, name: str) -> tuple[ApiToken, str]:
    """A new token for `user`; its text is shown now or never."""
    secret = PREFIX + token()
    row = ApiToken(user_id=user.id, name=name, token_hash=fingerprint(secret))
    db.session.add(row)
    db.session.flush()
    return row, secret


def revoke(row: ApiToken) -> None:
    """Let the token open nothing from now on."""
    row.revoked_at = row.revoked_at or clock.now()
    live.disconnect(row.user_id)


def of(user: User) -> list[ApiToken]:
    """The tokens of `user` that still open something."""
    rows = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return list(db.session.scalars(rows.order_by(ApiToken.id.desc())))


#: Asked by every event of a program's socket: built once.
_LOAD = (
    select(User)
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(
        ApiToken.token_hash == bindparam("fingerprint"),
        ApiToken.revoked_at.is_(None),
        User.disabled_at.is_(None),
    )
)


def user_for_token(secret: str) -> User | None:
    """The person a token acts for, unless it is revoked or the person disabled."""
    if not secret.startswith(PREFIX):
        return None
    return db.session.scalar(_LOAD, {"fingerprint": fingerprint(secret)})


@login_manager.request_loader
def load(request: Request) -> Any:
    """The person behind `Authorization: Bearer …`."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not request.path.startswith(PATHS):
        return None
    return user_for_token(secret.strip())
