"""Beside the form of a new ticket: articles that may answer it, and “this solved it”."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from ...core.i18n import _
from ...kb.models import Translation
from .. import deflecting
from .shared import bp


@bp.get("/tickets/fitting")
@requires(Permission.TICKETS_OPEN)
def fitting() -> ResponseReturnValue:
    """Articles that fit a subject, as a part of the form."""
    answer = deflecting.fitting(current_user, request.args.get("subject", ""))
    return render_template("tickets/_fitting.html", fitting=answer)


@bp.post("/tickets/solved")
@requires(Permission.TICKETS_OPEN)
def solved() -> ResponseReturnValue:
    """An article was enough."""
    article_id = request.form.get("article", type=int) or abort(400)
    with transaction():
        article = visible_or_404(select(Translation).where(Translation.id == article_id), current_user)
        deflecting.claim(current_user, article)
    flash(_("Good to know. If the question comes back, ask any time."))
    return redirect(url_for(".index"), 303)
