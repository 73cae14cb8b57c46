"""`hub content` and `hub kb`: articles from and to files."""

import sys
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
@click.option("--partial", is_flag=True, help="Import the good lines, whatever is wrong with others.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_appcontext
def load(path: Path, partial: bool) -> None:
    """Publish the articles of a JSON-lines file {id, lang, page, title, headings, body}.

    Every wrong line is named. The others go in once that is confirmed: at the prompt, or with --partial.
    """
    lines = importing.read(path)
    for each in lines.wrong:
        click.echo(str(each), err=True)
    if lines.wrong and not partial:
        _confirm(len(lines.wrong), len(lines.rows))
    try:
        with click.progressbar(length=len(lines.rows), label="Articles") as bar, transaction():
            changed = importing.load(lines.rows, lambda _: bar.update(1))
    except HubError as error:
        raise click.ClickException(str(error)) from None
    db.session.expunge_all()
    click.echo("Indexing …")
    indexed = indexing.index_stale()
    left_out = f", {len(lines.wrong)} lines left out" if lines.wrong else ""
    click.echo(f"{changed} articles imported, {indexed} indexed{left_out}")


def _confirm(wrong: int, good: int) -> None:
    """Ask a person whether the good lines shall go in; a program has to say --partial."""
    if good and sys.stdin.isatty():
        click.confirm(f"{wrong} lines are wrong. Import the other {good}?", abort=True)
        return
    raise click.ClickException(
        f"{wrong} lines are wrong; nothing was imported. With --partial the other {good} go in."
    )


commands = [content, kb]
