"""Revisions: who wrote what, when and why; what changed; going back."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import undefer

from ...accounts.models import User
from ...core import audit
from ...core.access import Permission, can, requires
from ...core.database import db, transaction
from ...core.errors import NotFound
from ...core.i18n import _
from ...core.paging import page
from .. import comparing, service
from ..forms import NumberForm
from ..models import Revision
from . import bp
from .asking import whole


@bp.get("/<int:id>/revisions")
@requires(Permission.KB_READ_STAFF)
def revisions(id: int) -> ResponseReturnValue:
    """All revisions; of a chosen one what it changed, against the one before or any other."""
    translation = whole(id)
    statement = select(Revision).where(Revision.translation_id == id)
    found = page(statement, request.args.get("cursor"), Revision.number, Revision.id)
    number = request.args.get("number", type=int)
    against = request.args.get("against", type=int)
    chosen = _revision(id, number) if number else None
    old = _revision(id, against if against is not None else chosen.number - 1) if chosen else None
    if chosen and old and old.number > chosen.number:
        chosen, old = old, chosen
    authors = {each.author_id for each in found} - {None}
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(authors))).all())
    return render_template(
        "kb/revisions.html",
        translation=translation,
        page=found,
        names=names,
        can_write=can(current_user, Permission.KB_WRITE),
        chosen=chosen,
        old=old,
        change=_change(old, chosen) if chosen and old else None,
        html=service.preview(chosen.body) if chosen and not old else None,
        link_to=lambda cursor: url_for(".revisions", id=id, cursor=cursor),
    )


def _change(old: Revision, new: Revision) -> dict[str, object]:
    return {
        "title": comparing.words(old.title, new.title),
        "summary": comparing.words(old.summary, new.summary),
        "rows": comparing.rows(old.body, new.body),
    }


def _revision(id: int, number: int) -> Revision | None:
    if not 0 < number < 2**31:
        return None
    wanted = select(Revision).where(Revision.translation_id == id, Revision.number == number)
    return db.session.scalar(wanted.options(undefer(Revision.body)))


@bp.post("/<int:id>/restore")
@requires(Permission.KB_WRITE)
def restore(id: int) -> ResponseReturnValue:
    """Make an old revision the present text."""
    form = NumberForm()
    if not form.validate_on_submit():
        abort(400)
    with transaction():
        revision = _revision(id, form.number.data)
        if revision is None:
            raise NotFound
        service.restore(whole(id), current_user, revision)
        audit.record(current_user, "article.restored", f"translation:{id}", after={"from": revision.number})
    flash(_("Revision %(number)s is the present text again.", number=revision.number))
    return redirect(url_for(".edit", id=id), 303)
