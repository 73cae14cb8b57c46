"""Mail what nobody has read."""

from ..core.database import transaction
from ..core.jobs import job
from . import digest


@job("notifications.mail", every="* * * * *")
def mail_unread() -> None:
    """One mail for each person whose notifications wait unread; a transaction each."""
    for user_id in digest.people_to_mail():
        with transaction():
            digest.mail_what_waits(user_id)
