"""`hub content` and `hub kb`: articles from and to files."""

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from ..core.database import db, transaction
from ..core.errors import HubError
from . import content as files
from . import indexing, service
from .exchange import arriving, writing
from .exchange.reading import Bundle, Entry
from .exchange.storing import BATCH, Report
from .models import Translation

FOLDER = Path("content")


@click.group("content")
def content() -> None:
    """Starter content: sync files into the hub, export the hub into files."""


@content.command("sync")
@click.option("--force", is_flag=True, help="Take the file even when its text was edited in the hub since.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=FOLDER)
@with_appcontext
def sync(folder: Path, force: bool) -> None:
    """Import FOLDER (default: content), all of it or nothing.

    What was edited in the hub is never overwritten silently.
    """
    try:
        with transaction():
            reports = {"kb": files.sync(folder / "kb", force=force)}
            for part in files.parts():
                reports[part.name] = part.sync(folder / part.name, force=force)
    except HubError as error:
        raise click.ClickException(str(error)) from None
    for name, report in reports.items():
        click.echo(f"{name}: " + ", ".join(f"{count} {what}" for what, count in report.counts.items()))
    for problem in [each for report in reports.values() for each in report.problems]:
        click.echo(str(problem), err=True)
    conflicts = [path for report in reports.values() for path in report.conflicts]
    for path in conflicts:
        click.echo(
            f"conflict: {path} and the hub's text were both changed; the hub's stays (--force takes the file)"
        )
    indexing.index_stale()
    if conflicts:
        raise SystemExit(1)


@content.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER)
@with_appcontext
def export(folder: Path) -> None:
    """Write articles, courses and ready newsletters to FOLDER; what is unchanged keeps every byte."""
    with transaction():
        written = files.export(folder / "kb")
        for part in files.parts():
            written += part.export(folder / part.name)
    for path in written:
        click.echo(path)
    click.echo(f"{len(written)} files written")


@click.group("kb")
def kb() -> None:
    """The knowledge base."""


@kb.command("import")
@click.option("--partial", is_flag=True, help="Import what is right, whatever is wrong with the rest.")
@click.option("--broken", is_flag=True, help="Take articles with broken links and missing pictures too.")
@click.option(
    "--force", is_flag=True, help="Take the file even when the article was edited in the hub since."
)
@click.option("--category", default="", metavar="KEY", help="For articles that name no category.")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@with_appcontext
def load(path: Path, partial: bool, broken: bool, force: bool, category: str) -> None:
    """Import a folder of Markdown files, the same as a ZIP, or JSON lines.

    Lines are those of `hub kb export`, or {id, lang, page, title, headings, body}. Everything wrong is named
    with file and line. The rest goes in once that is confirmed: at the prompt, or with --partial.
    """
    try:
        with arriving.opened(path, category=category, loosely=broken) as (bundle, entries):
            for each in bundle.problems:
                click.echo(str(each), err=True)
            wrong = sum(each.leaves_out for each in bundle.problems)
            if wrong and not partial:
                _confirm(wrong, len(entries))
            report = _put_in(bundle, entries, force)
    except HubError as error:
        raise click.ClickException(str(error)) from None
    for each in report.problems:
        click.echo(str(each), err=True)
    for name in report.conflicts:
        click.echo(f"conflict: {name}: the article was edited in the hub and stays (--force takes the file)")
    db.session.expunge_all()
    click.echo("Indexing …")
    indexed = indexing.index_stale()
    wrong += len(report.problems)
    left_out = f", {wrong} problems left out" if wrong else ""
    done = len(report.created) + len(report.revised)
    click.echo(f"{done} articles imported, {len(report.unchanged)} unchanged, {indexed} indexed{left_out}")
    if report.conflicts:
        raise SystemExit(1)


def _put_in(bundle: Bundle, entries: list[Entry], force: bool) -> Report:
    with click.progressbar(length=len(entries), label="Articles") as bar:
        return arriving.put_in(bundle, entries, lambda done: bar.update(done - bar.pos), force=force)


def _confirm(wrong: int, good: int) -> None:
    """Ask a person whether the good ones shall go in; a program has to say --partial."""
    if good and sys.stdin.isatty():
        click.confirm(f"{wrong} problems. Import the {good} articles without any?", abort=True)
        return
    raise click.ClickException(
        f"{wrong} problems; nothing was imported. With --partial the {good} articles without any go in."
    )


@kb.command("export")
@click.argument("path", type=click.Path(path_type=Path))
@with_appcontext
def save(path: Path) -> None:
    """Write everything to PATH: NAME.zip, NAME.jsonl, or a folder."""
    writing.to(path)
    click.echo(path)


@kb.command("render")
@with_appcontext
def render() -> None:
    """Make every page anew from its text, as after an update that shows articles better."""
    ids = list(db.session.scalars(select(Translation.id).order_by(Translation.id)))
    with click.progressbar(length=len(ids), label="Articles") as bar:
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            bodies = select(Translation.id, Translation.body).where(Translation.id.in_(some))
            derived = {id: (body, service.derive(body)) for id, body in db.session.execute(bodies)}
            with transaction():
                for row in db.session.scalars(select(Translation).where(Translation.id.in_(some))):
                    body, page = derived[row.id]
                    if row.body == body:  # else somebody has just written it, and it is rendered
                        service.render(row, page)
                        service.mark_stale(row)
            bar.update(len(some))


commands = [content, kb]
