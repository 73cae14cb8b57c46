"""The team's list of all articles."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager

from ...core.access import Permission, requires, visible
from ...core.database import db
from ...core.i18n import LOCALES
from ...core.paging import page
from .. import reviewing, shelves, translating
from ..forms import AUDIENCES
from ..models import Article, Feedback, Status, Translation
from . import bp


@bp.get("/manage")
@requires(Permission.KB_READ_STAFF)
def manage() -> ResponseReturnValue:
    """All translations, the last changed first."""
    names = ("q", "lang", "status", "category", "show")
    chosen = {name: request.args.get(name, "").strip() for name in names}
    found = page(_filtered(**chosen), request.args.get("cursor"), Translation.updated_at, Translation.id)
    late = set(
        db.session.scalars(
            select(Translation.id).where(
                Translation.id.in_([each.id for each in found]), translating.outdated()
            )
        )
    )
    kept: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return render_template(
        "kb/manage.html",
        page=found,
        chosen=chosen,
        late=late,
        today=reviewing.today(),
        audiences=AUDIENCES,
        categories=choices(),
        waiting=db.session.scalar(
            select(func.count(Feedback.id)).where(Feedback.handled_at.is_(None), ~Feedback.is_helpful)
        ),
        link_to=lambda cursor: url_for(".manage", **kept, cursor=cursor),
    )


def _filtered(q: str, lang: str, status: str, category: str, show: str) -> Select[Any]:
    statement = visible(select(Translation), current_user).join(Translation.article)
    statement = statement.options(contains_eager(Translation.article).joinedload(Article.category))
    if q:
        statement = statement.where(Translation.title.icontains(q, autoescape=True))
    if lang in LOCALES:
        statement = statement.where(Translation.locale == lang)
    if status in set(Status):
        statement = statement.where(Translation.status == Status(status))
    if category.isdecimal() and len(category) < 10:
        statement = statement.where(Article.category_id == int(category))
    if show == "review":
        statement = statement.where(reviewing.is_due(), Translation.status == Status.PUBLISHED)
    if show == "outdated":
        statement = statement.where(translating.outdated(), Translation.status != Status.ARCHIVED)
    return statement


def choices() -> list[tuple[int, str]]:
    """Categories for a select, those within others indented."""
    return [(each.id, "\u2003" * depth + each.name()) for each, depth in shelves.tree()]
