"""`hub search`: care for the index."""

import click
from flask.cli import with_appcontext

from ..core import fulltext
from ..core.fulltext import IndexBusy
from ..core.i18n import LOCALES


@click.group("search")
def search() -> None:
    """The search index."""


@search.command("rebuild")
@click.option("--lang", type=click.Choice(list(LOCALES)), help="Only this language.")
@with_appcontext
def rebuild(lang: str | None) -> None:
    """Build the index anew; readers use the old one until the new one is complete."""
    for each in [lang] if lang else list(LOCALES):
        try:
            fulltext.rebuild(each, lambda done, each=each: click.echo(f"\r{each}: {done}", nl=False))  # type: ignore[misc]
        except IndexBusy:
            raise click.ClickException(f"{each}: the worker is writing; try again in a minute.") from None
        click.echo(f"\r{each}: done        ")


commands = [search]
