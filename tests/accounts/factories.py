"""Rows that the addresses of accounts lead to."""

from hub.accounts import links, passwords, sessions, tokens
from hub.accounts.models import LinkPurpose
from hub.core.access import Role
from hub.core.database import db

from ..factories import make_user

PASSWORD = "heather on the hill"


def make_person(role: Role = Role.PARTNER, *, password: str = PASSWORD, **values):
    """Someone who can sign in with `PASSWORD`."""
    return make_user(role, password_hash=passwords.digest(password), **values)


def sample(cast):
    """A session and a token of the partner, a member of staff, and a link of each kind."""
    sessions.begin(cast.partner)
    session = cast.partner.current_session
    token, _secret = tokens.create(cast.partner, "a program")
    colleague, newcomer = make_person(Role.AGENT), make_user(Role.AGENT)
    db.session.flush()
    return {
        "session": session.id,
        "token": token.id,
        "colleague": colleague.id,
        "reset": links.make(colleague, LinkPurpose.RESET),
        "invitation": links.make(newcomer, LinkPurpose.INVITATION),
        "newcomer": newcomer.id,
    }
