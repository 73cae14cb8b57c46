"""“Was this helpful?”: readers answer, the team works the answers off."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...core import clock
from ...core.access import Permission, public, requires, visible_or_404
from ...core.database import db, transaction
from ...core.errors import NotFound
from ...core.extensions import limiter
from ...core.paging import page
from .. import feedback as answers
from ..forms import REASONS, FeedbackForm
from ..models import Feedback, Reason, Translation
from . import bp


@bp.post("/<int:id>/feedback")
@public
@limiter.limit("20 per hour")
def rate(id: int) -> ResponseReturnValue:
    """Keep a reader's answer."""
    form = FeedbackForm()
    if not form.validate_on_submit():
        abort(400)
    reason = Reason(form.reason.data) if form.reason.data else None
    with transaction():
        translation = visible_or_404(select(Translation).where(Translation.id == id), current_user)
        answers.rate(translation, current_user, form.helpful.data == "yes", reason, form.comment.data or "")
    return redirect(f"{translation.path}?rated={form.helpful.data}#helpful", 303)


@bp.get("/feedback")
@requires(Permission.KB_READ_STAFF)
def feedback() -> ResponseReturnValue:
    """What did not help, the oldest first; what did, on request."""
    show = request.args.get("show", "open")
    statement = select(Feedback).options(joinedload(Feedback.translation))
    if show == "open":
        statement = statement.where(Feedback.handled_at.is_(None), ~Feedback.is_helpful)
    found = page(statement, request.args.get("cursor"), Feedback.id)
    return render_template(
        "kb/feedback.html",
        page=found,
        show=show,
        reasons=REASONS,
        link_to=lambda cursor: url_for(".feedback", show=show, cursor=cursor),
    )


@bp.post("/feedback/<int:feedback_id>/handled")
@requires(Permission.KB_WRITE)
def handled(feedback_id: int) -> ResponseReturnValue:
    """Take an answer off the queue."""
    with transaction():
        found = db.session.get(Feedback, feedback_id)
        if found is None:
            raise NotFound
        found.handled_at = clock.now()
    return redirect(url_for(".feedback"), 303)
