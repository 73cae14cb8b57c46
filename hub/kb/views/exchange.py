"""Articles in from a file, and all of them out."""

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer

from ...core import clock
from ...core.access import Permission, requires
from ...core.database import db, transaction
from ...core.errors import Invalid, NotFound
from ...core.i18n import _
from ...core.paging import page
from .. import shelves
from ..exchange import uploads, writing
from ..models import Category
from ..models.exchange import Arrival
from . import bp


@bp.get("/imports")
@requires(Permission.KB_WRITE)
def imports() -> ResponseReturnValue:
    """Upload a file, take everything along, and what was imported before."""
    return _imports()


def _imports(error: str | None = None, status: int = 200) -> ResponseReturnValue:
    statement = select(Arrival).options(joinedload(Arrival.actor))
    past = page(statement, request.args.get("cursor"), Arrival.created_at, Arrival.id)
    categories = [(each.key, "\u2003" * depth + each.name()) for each, depth in shelves.tree()]
    return render_template("kb/imports.html", past=past, categories=categories, error=error), status


@bp.post("/imports")
@requires(Permission.KB_WRITE)
def upload() -> ResponseReturnValue:
    """Keep a file; the worker looks what is in it."""
    file = request.files.get("file")
    if not file or not file.filename:
        return _imports(_("Choose a file first."), 422)
    category = request.form.get("category", "")
    try:
        with transaction():
            if category and not db.session.scalar(select(Category.id).where(Category.key == category)):
                category = ""
            arrival = uploads.keep(current_user, file.filename, file.stream.read(), category)
    except Invalid as error:
        return _imports(str(error.message), error.status)
    return redirect(url_for(".arrival", id=arrival.id), 303)


@bp.get("/imports/<int:id>")
@requires(Permission.KB_WRITE)
def arrival(id: int) -> ResponseReturnValue:
    """What is in a file and what is wrong with it; how far it has got; what came of it."""
    return render_template("kb/import.html", arrival=_get(id), most=uploads.MOST_SHOWN)


@bp.post("/imports/<int:id>")
@requires(Permission.KB_WRITE)
def confirm(id: int) -> ResponseReturnValue:
    """Let it go in."""
    options = {"takes_broken": "broken" in request.form, "takes_over": "over" in request.form}
    return _done(id, lambda found: uploads.confirm(found, **options))


@bp.post("/imports/<int:id>/discard")
@requires(Permission.KB_WRITE)
def discard(id: int) -> ResponseReturnValue:
    """Give a file up."""
    return _done(id, uploads.discard)


def _done(id: int, change: Callable[[Arrival], None]) -> ResponseReturnValue:
    try:
        with transaction():
            change(_get(id))
    except uploads.NotNow as error:
        flash(str(error.message), "bad")
    return redirect(url_for(".arrival", id=id), 303)


def _get(id: int) -> Arrival:
    options = [joinedload(Arrival.actor), undefer(Arrival.problems)]
    found = db.session.scalar(select(Arrival).where(Arrival.id == id).options(*options))
    if found is None:
        raise NotFound
    return found


@bp.get("/export.<any(zip, jsonl):form>")
@requires(Permission.KB_WRITE)
def export(form: str) -> ResponseReturnValue:
    """Everything in one file, made while it is read."""
    pieces = writing.zipped() if form == "zip" else (line.encode() for line in writing.lines())
    mimetype = "application/zip" if form == "zip" else "application/jsonl"
    response = Response(stream_with_context(pieces), mimetype=mimetype)
    name = f"knowledge-base-{clock.now():%Y-%m-%d}.{form}"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
