"""`hub content` and `hub kb`: articles from and to files."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from ..core.database import db, transaction
from ..core.errors import HubError
from . import content as files
from . import importing, indexing

FOLDER = Path("content")


@click.group("content")
def content() -> None:
    """Starter content: sync files into the hub, export the hub into files."""


@content.command("sync")
@click.option(
    "--force", is_flag=True, help="Take the file even when the article was edited in the hub since."
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=FOLDER)
@with_appcontext
def sync(folder: Path, force: bool) -> None:
    """Import FOLDER (default: content), all of it or nothing.

    An article that was edited in the hub is never overwritten silently.
    """
    try:
        with transaction():
            report = files.sync(folder / "kb", force=force)
            others = [part(folder) for part in files.parts()]
    except HubError as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"{len(report.created)} created, {len(report.revised)} revised, {len(report.unchanged)} unchanged"
    )
    for line in others:
        click.echo(line)
    for path in report.conflicts:
        click.echo(
            f"conflict: {path} and the article were both changed; the article stays (--force takes the file)"
        )
    indexing.index_stale()
    if report.conflicts:
        raise SystemExit(1)


@content.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER)
@with_appcontext
def export(folder: Path) -> None:
    """Write every article to FOLDER/kb; unchanged ones keep every byte."""
    with transaction():
        written = files.export(folder / "kb")
    for path in written:
        click.echo(path)
    click.echo(f"{len(written)} files written")


@click.group("kb")
def kb() -> None:
    """The knowledge base."""


@kb.command("import")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_appcontext
def load(path: Path) -> None:
    """Publish the articles of a JSON-lines file {id, lang, page, title, headings, body}; nothing if a line is wrong."""
    try:
        rows = importing.read(path)
        with click.progressbar(length=len(rows), label="Articles") as bar, transaction():
            changed = importing.load(rows, lambda _: bar.update(1))
    except HubError as error:
        raise click.ClickException(str(error)) from None
    db.session.expunge_all()
    click.echo("Indexing …")
    indexed = indexing.index_stale()
    click.echo(f"{changed} articles imported, {indexed} indexed")


commands = [content, kb]
