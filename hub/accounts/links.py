"""Links sent by mail that are good once and for a while: a new password, an invitation."""

from datetime import timedelta

from sqlalchemy import select, update

from ..core import clock
from ..core.database import db, touched
from ..core.errors import HubError
from ..core.i18n import _l
from .models import LinkPurpose, OneTimeLink, User
from .secrets import fingerprint, token

LIFETIME = {LinkPurpose.RESET: timedelta(hours=1), LinkPurpose.INVITATION: timedelta(hours=72)}


class LinkGone(HubError):
    status = 410
    message = _l("This link has been used, or it is too old.")


def make(user: User, purpose: LinkPurpose) -> str:
    """The token of a new link; earlier links of the same purpose open nothing any more."""
    now, secret = clock.now(), token()
    discard(user, purpose)
    expires_at = now + LIFETIME[purpose]
    db.session.add(
        OneTimeLink(
            user_id=user.id,
            purpose=purpose,
            token_hash=fingerprint(secret),
            created_at=now,
            expires_at=expires_at,
        )
    )
    db.session.flush()
    return secret


def discard(user: User, *purposes: LinkPurpose) -> None:
    """Make every unused link of `user` worthless."""
    unused = update(OneTimeLink).where(OneTimeLink.user_id == user.id, OneTimeLink.used_at.is_(None))
    db.session.execute(
        unused.where(OneTimeLink.purpose.in_(purposes or tuple(LinkPurpose))).values(used_at=clock.now())
    )


def look(secret: str, purpose: LinkPurpose) -> OneTimeLink:
    """The link if it still opens something: mail scanners look, so looking uses nothing up. Raises LinkGone."""
    link = db.session.scalar(
        select(OneTimeLink)
        .join(User, User.id == OneTimeLink.user_id)
        .where(OneTimeLink.token_hash == fingerprint(secret), OneTimeLink.purpose == purpose)
        .where(
            OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > clock.now(), User.disabled_at.is_(None)
        )
    )
    if link is None:
        raise LinkGone
    return link


def use(secret: str, purpose: LinkPurpose) -> User:
    """Use the link up and return its person. Of two who try at once one gets LinkGone."""
    link = look(secret, purpose)
    used = (
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=clock.now())
    )
    if touched(used) != 1:
        raise LinkGone
    return link.user
