"""`hub materials`."""

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from ..core.errors import HubError
from . import importing


@click.group("materials")
def materials() -> None:
    """Import promo materials."""


@materials.command("import")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@with_appcontext
def import_folder(folder: Path) -> None:
    """Add the files of FOLDER; `materials.csv` in it may describe them.

    Its columns are `file, title, campaign, language, tags, size`. Files that the library has are left out.
    """
    try:
        with click.progressbar(length=len(importing.files_in(folder)), label="Materials") as bar:
            outcome = importing.run(folder, progress=lambda: bar.update(1))
    except HubError as error:
        raise click.ClickException(str(error.message)) from None
    for line in outcome.refused:
        click.echo(line, err=True)
    click.echo(f"{outcome.added} added, {outcome.known} known already, {len(outcome.refused)} refused.")
    if outcome.refused:
        sys.exit(1)


commands = [materials]
