"""Notices to the author: it has been sent, it waits for you."""

from ..core.i18n import _l
from ..core.links import path
from ..notifications import kinds
from ..notifications.service import notify
from .models import Hold, Newsletter


def tell_author(newsletter: Newsletter, hold: Hold) -> None:
    """Say that a newsletter waits for a person, and why."""
    _notify(newsletter, f"newsletter_{hold}")


def tell_sent(newsletter: Newsletter) -> None:
    _notify(newsletter, "newsletter_sent")


def _notify(newsletter: Newsletter, kind: str) -> None:
    if newsletter.author is not None:
        params = {"subject": newsletter.title(newsletter.author.locale)}
        notify([newsletter.author], kind, params, url=path("newsletters.show", number=newsletter.id))


for _kind, _text in (
    ("sent", _l("“%(subject)s” has been sent")),
    (Hold.CREDENTIALS, _l("“%(subject)s” is paused: the mail server does not accept our sign-in")),
    (Hold.ERRORS, _l("“%(subject)s” is paused: too many mails in a row failed")),
    (Hold.MISSED, _l("“%(subject)s” missed its time and was not sent")),
    (Hold.INCOMPLETE, _l("“%(subject)s” could not start: it is not ready")),
):
    kinds.register(f"newsletter_{_kind}", _text, icon="mail")
