"""`hub mail`: the mailbox by hand, or from the pipe of a mail server."""

import json
import sys

import click
from flask.cli import with_appcontext

from ..core.mail.receive.mailbox import MailboxAway
from ..core.settings import settings
from . import mail_fetching
from .mail_in import receive_mail
from .models_mail import Door


@click.group("mail")
def mail() -> None:
    """Take in mail."""


@mail.command("receive")
@with_appcontext
def receive() -> None:
    """Take in one mail from standard input; print what became of it as one line of JSON.

    Ends with 0 for every mail that is kept, parked ones included.
    """
    report = receive_mail(sys.stdin.buffer.read(), Door.COMMAND)
    click.echo(json.dumps(report.as_json()))


@mail.command("fetch")
@with_appcontext
def fetch() -> None:
    """Fetch what is unread in the mailbox now, as the worker does every minute."""
    if not settings.imap_url:
        raise click.ClickException("HUB_IMAP_URL names no mailbox.")
    try:
        counts = mail_fetching.fetch()
    except MailboxAway as error:
        raise click.ClickException(str(error)) from error
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "nothing unread")


commands = [mail]
