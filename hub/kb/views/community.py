"""What readers ask and answer under an article, and the team's view of it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...core.access import Permission, public, requires, visible, visible_or_404
from ...core.database import transaction
from ...core.errors import HubError
from ...core.i18n import _
from ...core.paging import page
from .. import community
from ..forms import PostForm
from ..models import Translation
from ..models.community import Post
from . import bp
from .reading import article_page, to_read


@bp.post("/<int:id>/questions")
@requires(Permission.KB_DISCUSS)
def ask(id: int) -> ResponseReturnValue:
    """Ask under an article."""
    form = PostForm()

    def say() -> Post:
        translation = visible_or_404(select(Translation).where(Translation.id == id), current_user)
        return community.ask(translation, current_user, form.body.data or "", client_id=form.key)

    return _said(say, "ask", lambda: id)


@bp.post("/posts/<int:post_id>/answers")
@requires(Permission.KB_DISCUSS)
def answer(post_id: int) -> ResponseReturnValue:
    """Answer a question."""
    form = PostForm()

    def say() -> Post:
        question = _post(post_id, Post.question_id.is_(None))
        return community.answer(question, current_user, form.body.data or "", client_id=form.key)

    return _said(say, f"answer-{post_id}", lambda: _post(post_id).translation_id)


@bp.post("/posts/<int:post_id>/edit")
@requires(Permission.KB_DISCUSS)
def edit_post(post_id: int) -> ResponseReturnValue:
    """Change one's own words."""

    def say() -> Post:
        post = _post(post_id)
        community.edit(post, current_user, PostForm().body.data or "")
        return post

    return _said(say, f"edit-{post_id}", lambda: _post(post_id).translation_id)


@bp.post("/posts/<int:post_id>/remove")
@requires(Permission.KB_DISCUSS)
def remove_post(post_id: int) -> ResponseReturnValue:
    """Take a post away."""
    with transaction():
        post = _post(post_id)
        place = f"{post.translation.path}#questions"
        community.remove(post, current_user)
    flash(_("Removed."))
    return redirect(place, 303)


@bp.post("/posts/<int:post_id>/hide")
@requires(Permission.KB_WRITE)
def hide_post(post_id: int) -> ResponseReturnValue:
    """Hide a post from readers, or show it again."""
    hidden = request.form.get("hidden") != "no"
    with transaction():
        community.hide(_post(post_id), current_user, hidden)
    flash(_("Readers no longer see it.") if hidden else _("Readers see it again."))
    return redirect(url_for(".post", post_id=post_id), 303)


@bp.post("/posts/<int:post_id>/accept")
@requires(Permission.KB_DISCUSS)
def accept(post_id: int) -> ResponseReturnValue:
    """Say that an answer is the one."""
    with transaction():
        post = _post(post_id, Post.question_id.is_not(None))
        community.accept(post, current_user, request.form.get("accepted") != "no")
    return redirect(url_for(".post", post_id=post_id), 303)


@bp.get("/posts/<int:post_id>")
@public
def post(post_id: int) -> ResponseReturnValue:
    """Where a post stands, whatever the article's address is today."""
    found = _post(post_id)
    question = found.question_id or found.id
    return redirect(f"{found.translation.path}?question={question}#post-{found.id}", 303)


@bp.get("/questions")
@requires(Permission.KB_READ_STAFF)
def questions() -> ResponseReturnValue:
    """What readers ask, across all articles: what waits for an answer first."""
    show = request.args.get("show", "open")
    asked = visible(select(Post), current_user).where(Post.question_id.is_(None))
    if show == "open":
        asked = asked.where(community.unanswered())
    elif show == "hidden":
        asked = visible(select(Post), current_user).where(Post.hidden_at.is_not(None))
    asked = asked.options(joinedload(Post.author), joinedload(Post.translation))
    return render_template(
        "kb/questions.html",
        page=page(asked, request.args.get("cursor"), Post.id, descending=show != "open"),
        show=show,
        link_to=lambda cursor: url_for(".questions", show=show, cursor=cursor),
    )


def _said(say: Any, place: str, translation_id: Any) -> ResponseReturnValue:
    """Keep what was written and show it; what is refused stays in its field, with the reason."""
    try:
        with transaction():
            post = say()
    except HubError as error:
        if error.status not in (409, 422, 429):
            raise
        text, reason = request.form.get("body", ""), str(error.message)
        refused = {"place": place, "text": text, "reason": reason, "is_late": error.status == 409}
        return article_page(to_read(Translation.id == translation_id()), refused=refused), error.status
    question = post.question_id or post.id
    return redirect(f"{post.translation.path}?question={question}&posted={place}#post-{post.id}", 303)


def _post(post_id: int, *conditions: Any) -> Post:
    return visible_or_404(select(Post).where(Post.id == post_id, *conditions), current_user)
