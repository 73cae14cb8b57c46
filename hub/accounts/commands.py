"""`hub user` and `hub token`: the first admin, and programs' tokens."""

import sys

import click
from flask.cli import with_appcontext

from ..core.access import Role
from ..core.database import transaction
from ..core.errors import Invalid
from ..core.i18n import LOCALES
from . import service, tokens
from .letters import invitation_link
from .links import make
from .models import COMMAND_LINE, LinkPurpose


@click.group("user")
def user() -> None:
    """People who may sign in."""


@user.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--name", required=True)
@click.option("--locale", type=click.Choice(list(LOCALES)), default="en", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_appcontext
def create(email: str, role: str, name: str, locale: str, password_stdin: bool) -> None:
    """Add a person. Without a password an invitation link is printed, good for 72 hours."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    try:
        with transaction():
            person = service.create(email, name, Role(role), password, locale=locale)
            secret = None if password else make(person, LinkPurpose.INVITATION)
    except Invalid as error:
        raise click.ClickException(
            " ".join(str(text) for texts in error.errors.values() for text in texts)
        ) from error
    click.echo(f"{person.email} is here as {person.role}.")
    if secret:
        click.echo(f"Choose a password at {invitation_link(secret)}")


@click.group("token")
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("email")
@click.option("--name", default=COMMAND_LINE, show_default=True, help="What the token is for.")
@with_appcontext
def create_token(email: str, name: str) -> None:
    """Print a new token of a person; it is not shown again."""
    person = service.find(email)
    if person is None or not person.is_active:
        raise click.ClickException(f"Nobody with the address {email} may sign in.")
    with transaction():
        _row, secret = tokens.create(person, name)
    click.echo(secret)


commands = [user, token]
