"""What readers see: the shelves, and an article."""

import functools
import secrets
from typing import Any

from flask import Response, after_this_request, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import contains_eager, undefer

from ...core import i18n
from ...core.access import Permission, Role, Somebody, can, public, visible
from ...core.database import db
from ...core.errors import NotFound
from ...core.extensions import login_manager
from ...core.i18n import LOCALES, locale
from ...core.markup.video import frames_in
from ...core.paging import page
from ...core.security import csp_with_frames_of
from .. import community, finding, outside, relating
from ..forms import REASONS
from ..models import Article, Category, Status, Translation
from . import bp, sitting

LANGUAGE = "<any(" + ", ".join(LOCALES) + "):lang>"


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """The shelves, each article in the reader's language or the nearest there is."""
    return _index(None)


@bp.get(f"/{LANGUAGE}/")
@public
def index_in(lang: str) -> ResponseReturnValue:
    """The shelves in one language, whatever the visitor's is."""
    _speak(lang)
    return _index(lang)


def _index(lang: str | None) -> ResponseReturnValue:
    return render_template(
        "kb/index.html",
        shelves=finding.shelves(current_user),
        can_write=can(current_user, Permission.KB_WRITE),
        outside=outside.head_of_index(lang),
    )


def _speak(lang: str) -> None:
    i18n.activate(lang, i18n.zone().key)
    g.locale = lang


@bp.get("/category/<key>")
@public
def category(key: str) -> ResponseReturnValue:
    """Everything on one shelf."""
    found = db.session.scalar(select(Category).where(Category.key == key))
    if found is None:
        raise NotFound
    statement = finding.of_category(found, current_user)
    shown = page(statement, request.args.get("cursor"), Translation.title, Translation.id, descending=False)
    within = finding.shelves_within(found, current_user)
    if not shown.items and not within and not can(current_user, Permission.KB_READ_STAFF):
        raise NotFound
    return render_template(
        "kb/category.html",
        category=found,
        path=finding.path_to(found),
        page=shown,
        within=within,
        link_to=lambda cursor: url_for(".category", key=key, cursor=cursor),
    )


@bp.get(f"/{LANGUAGE}/<slug>")
@public
def show(lang: str, slug: str) -> ResponseReturnValue:
    """An article; its former addresses lead to the present one."""
    values = {"reader": getattr(current_user, "id", None), "lang": lang, "slug": slug}
    translation = db.session.scalar(_by_address(getattr(current_user, "role", None)), values)
    if translation is None:
        return _moved(lang, slug)
    if not current_user.is_authenticated and not request.accept_languages and "locale" not in request.cookies:
        _speak(lang)  # a crawler, which names no language: the page around the article is in the article's
    response = make_response(article_page(translation))
    sitting.note(response, translation)
    return response


def to_read(*conditions: Any) -> Translation | None:
    """The text of these conditions with what its page shows, if the person at hand may read it."""
    return db.session.scalar(visible(_whole().where(*conditions), current_user))


@functools.cache
def _by_address(role: Role | None) -> Select[Any]:
    """Built once per role, and once for visitors: every article begins with it."""
    here = Translation.locale == bindparam("lang"), Translation.slug == bindparam("slug")
    return visible(_whole().where(*here), Somebody(role) if role else None)


def _whole() -> Select[Any]:
    return (
        select(Translation)
        .join(Translation.article)
        .options(
            contains_eager(Translation.article).joinedload(Article.category),
            undefer(Translation.html),
            undefer(Translation.toc),
        )
    )


#: Of an article that one may read: who may read one text of it may read all that are published.
_SIBLINGS = (
    select(Translation)
    .where(Translation.article_id == bindparam("article"), Translation.status == Status.PUBLISHED)
    .order_by(Translation.locale)
)


def article_page(translation: Translation | None, **more: Any) -> str:
    """The page of an article. Raises NotFound without one."""
    if translation is None:
        raise NotFound
    siblings = db.session.scalars(_SIBLINGS, {"article": translation.article_id}).all()
    related = relating.related(translation, current_user) or finding.neighbours(translation, current_user)
    asked = request.args.get("question", "")
    if players := frames_in(translation.html):
        after_this_request(lambda response: _let_play(response, players))
    only = int(asked) if asked.isdecimal() and len(asked) < 10 else None
    return render_template(
        "kb/show.html",
        outside=outside.head_of(translation, siblings, translation.html),
        og_locales=outside.OG_LOCALES,
        translation=translation,
        html=Markup(translation.html),
        path=finding.path_to(translation.article.category),
        siblings=siblings,
        is_fallback=translation.locale != locale() and all(each.locale != locale() for each in siblings),
        related=related,
        reasons=[(each.value, text) for each, text in REASONS.items()],
        rated=request.args.get("rated"),
        can_write=can(current_user, Permission.KB_WRITE),
        can_discuss=can(current_user, Permission.KB_DISCUSS),
        questions=community.questions(translation, current_user, request.args.get("questions"), only),
        only=only,
        posted=request.args.get("posted", ""),
        new_id=lambda: secrets.token_hex(12),
        **more,
    )


def _let_play(response: Response, players: list[str]) -> Response:
    response.headers["Content-Security-Policy"] = csp_with_frames_of(players)
    return response


@bp.get("/open/<key>")
@public
def open_key(key: str) -> ResponseReturnValue:
    """Where a link between articles leads: the same article in the reader's language."""
    article = finding.fetch(key)
    found = finding.published_copy(article.id, _language_of_page(), current_user) if article else None
    if found is None and not current_user.is_authenticated:
        # It may be for partners only; whether it exists is not told before.
        return login_manager.unauthorized()
    if found is None:
        raise NotFound
    return redirect(found.path, 302)


def _language_of_page() -> str:
    """A reader of a Polish page who follows a link goes on in Polish."""
    came_from: Any = (request.referrer or "").split("/kb/")
    lang = came_from[1][:2] if len(came_from) == 2 else ""
    return lang if lang in LOCALES else locale()


def _moved(lang: str, slug: str) -> ResponseReturnValue:
    former = finding.former(lang, slug)
    if former is None:
        raise NotFound
    if (
        db.session.scalar(visible(select(Translation).where(Translation.id == former.id), current_user))
        is None
    ):
        raise NotFound
    return redirect(former.path, 301)
