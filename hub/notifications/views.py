"""The list behind the bell."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ..core.access import signed_in, visible, visible_or_404
from ..core.database import db, transaction
from ..core.frame import from_script
from ..core.i18n import _
from ..core.paging import page
from . import digest, service
from .forms import MailForm
from .kinds import lines
from .models import Notification

bp = Blueprint("notifications", __name__, url_prefix="/notifications", template_folder="templates")
IN_THE_BELL = 7


@bp.get("/")
@signed_in
def index() -> ResponseReturnValue:
    """Show what happened, the newest first."""
    unread = request.args.get("show") == "unread"
    statement = visible(select(Notification), current_user)
    if unread:
        statement = statement.where(Notification.read_at.is_(None))
    rows = page(statement, request.args.get("at"), Notification.id)
    return render_template("notifications/index.html", page=rows, lines=lines(rows), unread=unread)


@bp.get("/bell")
@signed_in
def bell() -> ResponseReturnValue:
    """The newest few, as the part of a page that the bell opens."""
    statement = visible(select(Notification), current_user).order_by(Notification.id.desc())
    rows = db.session.scalars(statement.limit(IN_THE_BELL)).all()
    return render_template("notifications/_bell.html", lines=lines(rows))


@bp.post("/<int:id>/read")
@signed_in
def read(id: int) -> ResponseReturnValue:
    """Mark one as seen."""
    with transaction():
        service.mark_read(visible_or_404(select(Notification).where(Notification.id == id), current_user))
    return _done()


@bp.post("/read")
@signed_in
def read_all() -> ResponseReturnValue:
    """Mark all as seen."""
    with transaction():
        service.mark_all_read(current_user)
    return _done()


@bp.route("/settings", methods=["GET", "POST"])
@signed_in
def choose() -> ResponseReturnValue:
    """Choose whether to get mail about what is unread."""
    form = MailForm(by_mail=digest.wants_mail(current_user))
    if not form.validate_on_submit():
        return render_template("notifications/choose.html", form=form)
    with transaction():
        digest.choose_mail(current_user, form.by_mail.data)
    flash(_("Saved"), "ok")
    return redirect(url_for(".choose"), 303)


def _done() -> ResponseReturnValue:
    return ("", 204) if from_script() else redirect(url_for(".index"), 303)
