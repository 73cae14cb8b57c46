"""Notifications for the tests of this room."""

from hub.core.i18n import _l
from hub.notifications import kinds, service

KIND = kinds.register("test_reply", _l("%(author)s answered “%(subject)s”"), icon="message-circle")


def make_notification(user, subject="Where is my commission", url="/somewhere"):
    return service.notify([user], KIND.name, {"author": "Agnes", "subject": subject}, url)[0]


def sample(cast):
    """What `{…}` stands for in access.csv."""
    return {"notification": make_notification(cast.partner).id}
