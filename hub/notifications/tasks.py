"""Mail what nobody has read."""

from ..core.jobs import each_alone, job
from . import digest


@job("notifications.mail", every="* * * * *")
def mail_unread() -> None:
    """One mail for each person whose notifications wait unread; a transaction each."""
    each_alone(digest.people_to_mail(), digest.mail_what_waits, digest.claim)
