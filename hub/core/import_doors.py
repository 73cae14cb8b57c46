"""The pages and the command of a kind of import; each room adds them for its own files."""

import sys
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.cli import with_appcontext
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from . import imports, paging, sheets
from .access import Permission, requires
from .database import db, transaction
from .errors import HubError, Invalid, NotFound, TooLarge
from .i18n import Text, _, ngettext
from .imports import FileImport, Kind

#: Changes and problems that a preview lists; a sum in words stands above them.
SHOWN = 200


class ImportPages:
    """History, upload, preview, confirmation: `<room>.imports`, `.upload`, `.preview`, `.confirm`, `.discard`."""

    def __init__(self, kind: Kind, back: tuple[Text, str]) -> None:
        self.kind, self.back = kind, back

    def add_to(self, bp: Blueprint, permission: Permission) -> None:
        """Add the pages to a room's blueprint for those who have `permission`."""
        for rule, name, view, method in (
            ("/imports", "imports", self.index, "GET"),
            ("/imports", "upload", self.upload, "POST"),
            ("/imports/sample.csv", "sample", self.sample, "GET"),
            ("/imports/<int:id>", "preview", self.preview, "GET"),
            ("/imports/<int:id>", "confirm", self.confirm, "POST"),
            ("/imports/<int:id>/discard", "discard", self.discard, "POST"),
        ):
            bp.add_url_rule(rule, name, requires(permission)(_function(view)), methods=[method])

    def index(self) -> ResponseReturnValue:
        """Show how the file must look, a place to drop it, and what was imported before."""
        return self._index()

    def _index(self, error: str | None = None, status: int = 200) -> ResponseReturnValue:
        statement = select(FileImport).where(FileImport.kind == self.kind.name)
        past = paging.page(statement, request.args.get("cursor"), FileImport.created_at, FileImport.id)
        return self._page("index", past=past, error=error), status

    def upload(self) -> ResponseReturnValue:
        """Keep a file and show what it would change."""
        file = request.files.get("file")
        if not file or not file.filename:
            return self._index(_("Choose a file first."), 422)
        body = file.stream.read(imports.LARGEST + 1)
        try:
            with transaction():
                upload, _plan = imports.preview(self.kind, file.filename, body, current_user)
        except (Invalid, TooLarge) as error:
            return self._index(str(error.message), error.status)
        return self._to("preview", id=upload.id)

    def preview(self, id: int) -> ResponseReturnValue:
        """Show what a file would change and what is wrong in it; of a finished one, what came of it."""
        upload = self._get(id)
        plan = imports.plan(self.kind, upload.body) if upload.state == "previewed" else None
        if plan is not None and plan.digest() != upload.plan_hash:
            with transaction():
                plan = imports.refresh(self.kind, upload)
        changes = plan.changes[:SHOWN] if plan else []
        cells = self.kind.cells([change.value for change in changes])
        rows = list(zip(changes, cells, strict=True))
        return self._page("show", upload=upload, plan=plan, rows=rows, shown=SHOWN)

    def confirm(self, id: int) -> ResponseReturnValue:
        """Import exactly what was shown."""
        upload = self._get(id)
        try:
            with transaction():
                plan = imports.confirm(self.kind, upload, current_user)
        except HubError as error:
            flash(str(error.message), "bad")
            return self._to("preview", id=id)
        flash(ngettext("%(count)s change imported.", "%(count)s changes imported.", len(plan.changes)))
        return self._to("preview", id=id)

    def discard(self, id: int) -> ResponseReturnValue:
        """Give an upload up."""
        upload = self._get(id)
        with transaction():
            imports.discard(upload)
        flash(_("The file was put aside; nothing was imported."))
        return self._to("imports")

    def sample(self) -> ResponseReturnValue:
        """A file with the right columns and one row, to begin with."""
        names = [column.name for column in self.kind.columns]
        body = sheets.write(names, [[column.example for column in self.kind.columns]])
        return csv_answer(body, f"{self.kind.name}.csv")

    def _get(self, id: int) -> FileImport:
        upload = db.session.get(FileImport, id)
        if upload is None or upload.kind != self.kind.name:
            raise NotFound
        return upload

    def _to(self, name: str, **values: Any) -> ResponseReturnValue:
        return redirect(url_for("." + name, **values), 303)

    def _page(self, template: str, **values: Any) -> str:
        label, endpoint = self.back
        back = (str(label), url_for(endpoint))
        return render_template(f"imports/{template}.html", kind=self.kind, back=back, **values)


def _function(method: Any) -> Any:
    """A method as a plain function, on which access may note who is let in."""

    def view(**values: Any) -> ResponseReturnValue:
        return method(**values)

    view.__doc__ = method.__doc__
    return view


def csv_answer(body: bytes, name: str) -> Response:
    """CSV as a download."""
    response = Response(body, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def import_command(kind: Kind) -> click.Command:
    """`hub <kind> import FILE [--dry-run]`: all of a file or nothing; 1 is returned when rows are wrong."""

    @click.command(
        "import", help=f"Import {kind.name} from a CSV FILE: all of it or, when a row is wrong, nothing."
    )
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Only show what would change.")
    @with_appcontext
    def command(file: Path, dry_run: bool) -> None:
        try:
            plan = imports.plan(kind, file.read_bytes()) if dry_run else _import(kind, file)
        except HubError as error:
            raise click.ClickException(str(error.message)) from error
        for problem in plan.problems:
            where = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
            click.echo(f"{where}: {problem.reason}", err=True)
        for note in plan.notes:
            click.echo(note)
        done = "would be imported" if dry_run else "imported"
        if plan.problems:
            click.echo(f"{len(plan.problems)} problems; nothing {done}.", err=True)
            sys.exit(1)
        click.echo(f"{len(plan.changes)} {done}, {plan.known} known already.")

    return command


def _import(kind: Kind, file: Path) -> imports.Plan:
    """Preview and confirm in one go; with wrong rows only the preview."""
    with transaction():
        upload, plan = imports.preview(kind, file.name, file.read_bytes(), None)
    if not plan.problems:
        with transaction():
            imports.confirm(kind, upload, None)
    return plan
