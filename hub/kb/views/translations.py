"""Which article is there in which language, and what a translation has yet to say."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import joinedload, selectinload

from ...core.access import Permission, can, requires
from ...core.database import transaction
from ...core.errors import NotFound
from ...core.i18n import _
from ...core.paging import page
from .. import comparing, translating
from ..forms import NumberForm
from ..models import Article
from . import bp
from .asking import whole


@bp.get("/languages")
@requires(Permission.KB_READ_STAFF)
def languages() -> ResponseReturnValue:
    """The board language × article."""
    show = "gaps" if request.args.get("show") == "gaps" else ""
    statement = translating.board(current_user, only_gaps=bool(show))
    statement = statement.options(joinedload(Article.category), selectinload(Article.translations))
    return render_template(
        "kb/languages.html",
        page=page(statement, request.args.get("cursor"), Article.id),
        totals=translating.totals(),
        show=show,
        link_to=lambda cursor: url_for(".languages", show=show or None, cursor=cursor),
    )


@bp.get("/<int:id>/compare")
@requires(Permission.KB_READ_STAFF)
def compare(id: int) -> ResponseReturnValue:
    """What changed in the source since this translation was made from it, and the translation beside it."""
    translation = whole(id)
    since = translating.since(translation)
    if since is None:
        raise NotFound
    then = since.then
    return render_template(
        "kb/compare.html",
        translation=translation,
        source=translation.article.source,
        since=since,
        can_write=can(current_user, Permission.KB_WRITE),
        title=comparing.words(then.title if then else since.now.title, since.now.title),
        summary=comparing.words(then.summary if then else since.now.summary, since.now.summary),
        rows=comparing.rows(then.body if then else since.now.body, since.now.body),
    )


@bp.post("/<int:id>/current")
@requires(Permission.KB_WRITE)
def current(id: int) -> ResponseReturnValue:
    """Nothing is to be done: the translation says what that revision of the source says."""
    form = NumberForm()
    if not form.validate_on_submit():
        abort(400)
    with transaction():
        translating.catch_up(whole(id), current_user, form.number.data)
    flash(_("The translation counts as up to date."))
    return redirect(url_for(".edit", id=id), 303)
