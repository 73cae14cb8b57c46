"""The list of ideas: propose, vote, decide."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...core.access import Permission, can, requires, visible, visible_or_404
from ...core.database import transaction
from ...core.frame import local
from ...core.i18n import _
from ...core.paging import page
from .. import ideas as wishes
from ..forms import DecisionForm, IdeaForm
from ..models import Idea, IdeaStatus
from .blueprint import bp


@bp.get("/ideas")
@requires(Permission.SURVEYS_ANSWER, Permission.SURVEYS_MANAGE)
def ideas() -> ResponseReturnValue:
    """List ideas, the most wanted first."""
    return _list(IdeaForm())


def _list(form: IdeaForm, status: int = 200) -> ResponseReturnValue:
    chosen = request.args.get("status")
    statement = visible(select(Idea), current_user).options(joinedload(Idea.user))
    if chosen in set(IdeaStatus):
        statement = statement.where(Idea.status == IdeaStatus(chosen))
    rows = page(statement, request.args.get("at"), Idea.votes, Idea.id)
    template = render_template(
        "surveys/ideas.html",
        page=rows,
        chosen=chosen,
        wanted=wishes.wanted_by(current_user, rows.items),
        form=form,
        decision=DecisionForm(formdata=None),
        may_manage=can(current_user, Permission.SURVEYS_MANAGE),
    )
    return template, status


@bp.post("/ideas")
@requires(Permission.SURVEYS_ANSWER)
def propose() -> ResponseReturnValue:
    """Write an idea down."""
    form = IdeaForm()
    if not form.validate_on_submit():
        return _list(form, 422)
    with transaction():
        idea = wishes.propose(current_user, form.title.data, form.body.data or "")
    flash(_("Your idea is on the list. You will hear when something becomes of it."))
    return redirect(url_for(".ideas", _anchor=f"idea-{idea.id}"), 303)


@bp.post("/ideas/<int:id>/vote")
@requires(Permission.SURVEYS_ANSWER)
def vote(id: int) -> ResponseReturnValue:
    """Want an idea, or no longer."""
    with transaction():
        wishes.vote(_one(id), current_user)
    return redirect(local(request.form.get("next"), url_for(".ideas", _anchor=f"idea-{id}")), 303)


@bp.post("/ideas/<int:id>/decide")
@requires(Permission.SURVEYS_MANAGE)
def decide(id: int) -> ResponseReturnValue:
    """Say what becomes of an idea."""
    form = DecisionForm()
    with transaction():
        idea = _one(id)
        if form.validate_on_submit():
            wishes.decide(idea, IdeaStatus(form.status.data), form.reply.data or "")
    return redirect(url_for(".ideas", _anchor=f"idea-{id}"), 303)


def _one(id: int) -> Idea:
    return visible_or_404(select(Idea).where(Idea.id == id), current_user)
