"""“Was this helpful?”: readers answer, the team works the answers off."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from ...accounts.models import User
from ...core.access import Permission, can, public, requires, visible_or_404
from ...core.database import db, transaction
from ...core.errors import NotFound
from ...core.extensions import limiter
from ...core.i18n import LOCALES
from ...core.paging import page
from .. import feedback as answers
from ..forms import REASONS, FeedbackForm
from ..models import Feedback, Reason, Translation
from . import bp
from .reading import article_page, to_read


@bp.post("/<int:id>/feedback")
@public
@limiter.limit("20 per hour")
def rate(id: int) -> ResponseReturnValue:
    """Keep a reader's answer."""
    form = FeedbackForm()
    if not form.validate_on_submit():
        if form.helpful.errors or form.reason.errors:
            abort(400)
        refused = {"place": "helpful", "text": form.comment.data or "", "reason": form.comment.errors[0]}
        return article_page(to_read(Translation.id == id), refused=refused), 422
    reason = Reason(form.reason.data) if form.reason.data else None
    with transaction():
        translation = visible_or_404(select(Translation).where(Translation.id == id), current_user)
        answers.rate(translation, current_user, form.helpful.data == "yes", reason, form.comment.data or "")
    return redirect(f"{translation.path}?rated={form.helpful.data}#helpful", 303)


@bp.get("/feedback")
@requires(Permission.KB_READ_STAFF)
def feedback() -> ResponseReturnValue:
    """What did not help and waits for somebody to look, the oldest first; or every answer, the newest first."""
    chosen = {name: request.args.get(name, "") for name in ("show", "lang", "reason")}
    waits = chosen["show"] != "all"
    statement = select(Feedback).join(Feedback.translation).options(contains_eager(Feedback.translation))
    if waits:
        statement = statement.where(Feedback.handled_at.is_(None), ~Feedback.is_helpful)
    if chosen["lang"] in LOCALES:
        statement = statement.where(Translation.locale == chosen["lang"])
    if chosen["reason"] in set(Reason):
        statement = statement.where(Feedback.reason == Reason(chosen["reason"]))
    found = page(statement, request.args.get("cursor"), Feedback.id, descending=not waits)
    people = {each.user_id for each in found} - {None}
    kept: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return render_template(
        "kb/feedback.html",
        page=found,
        chosen=chosen,
        waits=waits,
        reasons=REASONS,
        names=dict(db.session.execute(select(User.id, User.name).where(User.id.in_(people))).all()),
        shares=answers.shares({each.translation_id for each in found}),
        can_write=can(current_user, Permission.KB_WRITE),
        link_to=lambda cursor: url_for(".feedback", **kept, cursor=cursor),
    )


@bp.post("/feedback/<int:feedback_id>/handled")
@requires(Permission.KB_WRITE)
def handled(feedback_id: int) -> ResponseReturnValue:
    """Take an answer off the queue, or put it back."""
    done = request.form.get("done") != "no"
    with transaction():
        found = db.session.get(Feedback, feedback_id)
        if found is None:
            raise NotFound
        answers.handle(found, current_user, done)
    return redirect(url_for(".feedback", show=None if done else "all"), 303)
