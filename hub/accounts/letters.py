"""The mails of this room: an invitation, a link to a new password, news about one's own account."""

from ..core import mail
from ..core.links import absolute
from ..core.settings import settings
from .models import User


def invitation(user: User, secret: str, *, inviter: str, organisation: str | None) -> None:
    """Invite someone who has no password yet."""
    mail.queue(
        user,
        "accounts/mail/invitation",
        name=user.name,
        inviter=inviter,
        organisation=organisation or settings.programme_name,
        link=invitation_link(secret),
    )


def invitation_link(secret: str) -> str:
    """Where an invitation is accepted."""
    return absolute("accounts.invitation", token=secret)


def reset(user: User, secret: str) -> None:
    """Send the way to a new password."""
    mail.queue(
        user, "accounts/mail/reset", name=user.name, link=absolute("accounts.new_password", token=secret)
    )


def changed(user: User, what: str) -> None:
    """Tell a person that the way they sign in has changed; `what` names the template."""
    mail.queue(user, f"accounts/mail/{what}", name=user.name, link=absolute("accounts.reset"))
