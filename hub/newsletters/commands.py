"""`hub newsletters`: write, send, look, stop, from the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import frontmatter
from flask.cli import with_appcontext

from ..core.database import db, transaction
from ..core.errors import HubError
from ..core.i18n import LOCALES
from ..kb.exchange.heads import FrontMatter
from . import audience, drafts, ledger, segments, starting, steering
from .models import Newsletter, Topic


@click.group("newsletters")
def newsletters() -> None:
    """Write newsletters, send them, see how far they are."""


@newsletters.command("create")
@click.argument(
    "files", metavar="FILE.md…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@with_appcontext
def create(files: tuple[Path, ...]) -> None:
    """Make a draft of one file per language and print its number.

    Front matter: subject, topic, language, and if you like preheader. The topic
    may be left out of all files but one.
    """
    texts = [_read(path) for path in files]
    languages = [text["locale"] for text, _topic in texts]
    if len(set(languages)) < len(languages):
        raise click.ClickException(f"Two files are in one language: {', '.join(languages)}.")
    topics = {topic for _text, topic in texts if topic}
    if len(topics) != 1:
        raise click.ClickException(f"The files need one topic, out of {', '.join(Topic)}.")
    with transaction():
        newsletter = drafts.create(None, Topic(topics.pop()), contents=[text for text, _topic in texts])
    click.echo(newsletter.id)


def _read(path: Path) -> tuple[dict[str, str], str]:
    """(the text, its topic) of a file."""
    try:
        post = frontmatter.loads(path.read_text(encoding="utf-8"), handler=FrontMatter())
    except Exception as error:  # YAML and encodings have errors of many kinds
        raise click.ClickException(f"{path}: {str(error).splitlines()[0]}") from None
    language, topic = str(post.get("language", "")), str(post.get("topic", ""))
    if language not in LOCALES:
        raise click.ClickException(f"{path}: language is one of {', '.join(LOCALES)}.")
    if topic and topic not in set(Topic):
        raise click.ClickException(f"{path}: topic is one of {', '.join(Topic)}.")
    subject, preheader = (" ".join(str(post.get(name) or "").split()) for name in ("subject", "preheader"))
    if not subject:
        raise click.ClickException(f"{path}: the front matter lacks a subject.")
    return {"locale": language, "subject": subject, "preheader": preheader, "body": post.content}, topic


@newsletters.command("send")
@click.argument("number", type=int)
@click.option("--to", "to", metavar="all|SEGMENT", required=True, help="Everyone, or the name of a segment.")
@with_appcontext
def send(number: int, to: str) -> None:
    """Freeze the audience and begin sending; the worker does the rest."""
    with _spoken(), transaction():
        newsletter = _find(number)
        drafts.aim(newsletter, _rule(to), newsletter.topic, newsletter.shown)
        recipients = starting.start(newsletter)
    click.echo(f"{recipients} recipients.", err=True)


@newsletters.command("status")
@click.argument("number", type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_appcontext
def status(number: int, as_json: bool) -> None:
    """Print how many deliveries are in each state."""
    with _spoken():
        progress = ledger.progress(_find(number))
    if as_json:
        told = {name: progress[name] for name in ("status", "total", "done")}
        click.echo(json.dumps({"id": number} | told | progress["counts"]))
        return
    click.echo(progress["status"])
    for state, count in progress["counts"].items():
        click.echo(f"{state}\t{count}")


@newsletters.command("pause")
@click.argument("number", type=int)
@with_appcontext
def pause(number: int) -> None:
    """Stop after the mails that are being handed over."""
    with _spoken(), transaction():
        steering.pause(_find(number))


@newsletters.command("resume")
@click.argument("number", type=int)
@with_appcontext
def resume(number: int) -> None:
    """Go on where it stopped."""
    with _spoken(), transaction():
        steering.resume(_find(number), None)


@newsletters.command("cancel")
@click.argument("number", type=int)
@with_appcontext
def cancel(number: int) -> None:
    """Send nothing more."""
    with _spoken(), transaction():
        steering.cancel(_find(number), None)


def _rule(to: str) -> audience.Rule:
    """Whom `--to` names."""
    if to == "all":
        return []
    segment = segments.named(to)
    if segment is None:
        raise click.ClickException(f"There is no segment {to}.")
    return segments.rule_of(segment)


def _find(number: int) -> Newsletter:
    newsletter = db.session.get(Newsletter, number)
    if newsletter is None:
        raise click.ClickException(f"There is no newsletter {number}.")
    return newsletter


@contextmanager
def _spoken() -> Iterator[None]:
    """A rule that refuses is a message, not a traceback."""
    try:
        yield
    except HubError as error:
        raise click.ClickException(str(error)) from None


commands = [newsletters]
