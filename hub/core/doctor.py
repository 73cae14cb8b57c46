"""`hub doctor`: does everything around the hub work? One line each, and what to do about it."""

import io
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask.cli import with_appcontext
from sqlalchemy import inspect, text

from . import jobs, storage
from .database import db
from .fulltext import is_there
from .i18n import LOCALES
from .mail.send import make_backend
from .mail.smtp import Smtp
from .migrations import FOLDER
from .settings import DEFAULT_SECRET, settings, warnings

STATIC = Path(__file__).parent.parent / "static"
#: Without these files pages are bare.
VENDOR = ("tabler.min.css", "htmx.min.js", "socket.io.js", "icons.svg")


class Problem(Exception):
    """Something does not work; the text says what to do."""


def database() -> str:
    db.session.execute(text("SELECT 1"))
    return db.engine.url.render_as_string(hide_password=True)


def migrations() -> str:
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    with db.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        missing = set(db.metadata.tables) - set(inspect(connection).get_table_names())
    if head != present:
        raise Problem(f"the database is at {present or 'nothing'}, the code at {head}; run `hub migrate`")
    if missing:
        raise Problem(f"tables are missing: {', '.join(sorted(missing))}; run `hub migrate`")
    return f"at {head or 'the models'}"


def index() -> str:
    missing = [lang for lang in LOCALES if not is_there(lang)]
    if missing:
        raise Problem(f"nothing to search in for {', '.join(missing)}; run `hub search rebuild`")
    return f"there for {', '.join(LOCALES)}"


def queue() -> str:
    waiting = jobs.queue().pending_count()
    return (
        f"answers, {waiting} waiting; is `hub worker` running?"
        if waiting > 500
        else f"answers, {waiting} waiting"
    )


def mail() -> str:
    backend = make_backend(settings)
    try:
        if isinstance(backend, Smtp):
            backend.connect()
    finally:
        backend.close()
    kind = settings.mail_url.partition(":")[0]
    return f"{kind}, nothing leaves this machine" if kind == "outbox" else f"{kind} answers"


def files() -> str:
    stored = storage.store(io.BytesIO(f"doctor {uuid.uuid4()}".encode()), limit=100)
    with storage.open(stored.key) as content:
        is_same = len(content.read()) == stored.size
    storage.delete(stored.key)
    if not is_same:
        raise Problem("what was written is not what can be read")
    return "written, read and deleted"


def vendor() -> str:
    missing = [name for name in VENDOR if not (STATIC / "vendor" / name).exists()]
    if missing:
        raise Problem(f"not in hub/static/vendor: {', '.join(missing)}; run `make run` once")
    return "there"


def secret() -> str:
    if settings.secret_key == DEFAULT_SECRET:
        return "the default one: fine for development, refused in production"
    return "your own"


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "search index": index,
    "queue": queue,
    "mail": mail,
    "files": files,
    "front end": vendor,
    "secret key": secret,
}


def examine() -> Iterator[tuple[str, bool, str]]:
    """Every check's name, whether it is well, and what was found. Nothing stops the next one."""
    for name, check in CHECKS.items():
        try:
            yield name, True, check()
        except Problem as problem:
            yield name, False, str(problem)
        except Exception as error:
            yield name, False, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        finally:
            db.session.rollback()


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check what the hub depends on; the exit status is 1 when something is wrong."""
    found = list(examine())
    for name, is_well, words in found:
        click.echo(f"{'ok     ' if is_well else 'PROBLEM'}  {name:13} {words}")
    for warning in warnings(settings):
        click.echo(f"WARNING  {'settings':13} {warning}")
    if not all(is_well for _, is_well, _ in found):
        raise SystemExit(1)
