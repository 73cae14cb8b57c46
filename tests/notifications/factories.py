"""Notifications for the tests of this room."""

from sqlalchemy import select

from hub.core.database import db
from hub.core.i18n import _l
from hub.notifications import kinds, service
from hub.notifications.models import Notification

KIND = kinds.register("test_reply", _l("%(author)s answered “%(subject)s”"), icon="message-circle")


def make_notification(user, subject="Where is my commission", url="/somewhere"):
    service.notify([user], KIND.name, {"author": "Agnes", "subject": subject}, url)
    return last(user)


def last(user):
    """What was told last."""
    told = select(Notification).where(Notification.user_id == user.id).order_by(Notification.id.desc())
    return db.session.scalar(told.limit(1))


def sample(cast):
    """What `{…}` stands for in access.csv."""
    return {"notification": make_notification(cast.partner).id}
