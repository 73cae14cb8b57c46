"""Fetching mail from the mailbox: each mail is kept before it is marked as read."""

import structlog

from ..core.mail.receive.mailbox import Mailbox, MailboxAway
from ..core.settings import settings
from .mail_in import LIMIT, receive_mail
from .models_mail import Door, Outcome

log = structlog.get_logger()


def fetch() -> dict[Outcome, int]:
    """Take in what is unread in the mailbox of the settings; how many came to what. Raises MailboxAway."""
    counts: dict[Outcome, int] = {}
    with Mailbox(settings.imap_url) as mailbox:
        for uid, raw, is_whole in mailbox.unread(LIMIT):
            outcome = receive_mail(raw, Door.IMAP, is_whole=is_whole).outcome
            mailbox.done(uid)
            counts[outcome] = counts.get(outcome, 0) + 1
    return counts


def fetch_quietly() -> None:
    """The same for the worker: a mailbox that is away is told in the log, and tried again in a minute."""
    if not settings.imap_url:
        return
    try:
        fetch()
    except MailboxAway as error:
        log.error("mailbox away", error=str(error)[:300])
