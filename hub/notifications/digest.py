"""What nobody has read for a while is mailed, each person's in one mail, once."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update

from ..accounts.models import User
from ..core import clock, i18n, mail
from ..core.database import db
from ..core.links import absolute
from ..core.settings import settings
from .kinds import lines
from .models import MailChoice, Notification

#: Who is at the screen reads it there.
PATIENCE = timedelta(minutes=15)
#: A mail lists so many and counts the rest.
MOST_LISTED = 10


_COLUMNS = MailChoice.__table__.c
#: Asked by every message: built once, of the table.
_CHOICE = select(_COLUMNS.by_mail).where(_COLUMNS.user_id == bindparam("user"))


def wants_mail(user: User) -> bool:
    """Does `user` want mail about what they have not read? Yes, until they say no."""
    return db.session.scalar(_CHOICE, {"user": user.id}) is not False


def choose_mail(user: User, by_mail: bool) -> None:
    """Remember whether `user` wants such mail."""
    db.session.merge(MailChoice(user_id=user.id, by_mail=by_mail))


def people_to_mail(most: int = 200) -> list[int]:
    """Ids of users who have something old enough to be mailed."""
    return list(db.session.scalars(select(Notification.user_id).where(*_due()).distinct().limit(most)))


def mail_what_waits(user_id: int) -> None:
    """Queue one mail with what waits for a user, in the open transaction.

    Claiming the rows and writing the mail are one commit: nothing is mailed twice or forgotten.
    """
    ids = claim(user_id)
    user = db.session.get(User, user_id)
    if not ids or user is None or not user.is_active or not wants_mail(user):
        return
    rows = db.session.scalars(
        select(Notification).where(Notification.id.in_(ids)).order_by(Notification.id.desc())
    )
    with i18n.speaking(user.locale, user.time_zone):
        told = [{"text": line.text, "url": settings.base_url + line.row.url} for line in lines(rows)]
    mail.queue(
        user,
        "notifications/mail/unread",
        count=len(told),
        lines=told[:MOST_LISTED],
        more=len(told) - MOST_LISTED,
        choice=absolute("notifications.choose"),
    )


def claim(user_id: int) -> list[int]:
    """Note that what waits for a user need not be mailed any more; the ids of the notifications."""
    rows = update(Notification).where(Notification.user_id == user_id, *_due()).returning(Notification.id)
    return list(db.session.scalars(rows.values(mailed_at=clock.now())))


def _due() -> tuple[ColumnElement[Any], ...]:
    return (
        Notification.mailed_at.is_(None),
        Notification.read_at.is_(None),
        Notification.created_at <= clock.now() - PATIENCE,
    )
