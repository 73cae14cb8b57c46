"""The editor: new articles, translations, changes, and how the page will look."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...accounts.models import User
from ...core import audit
from ...core.access import Permission, requires, roles_with
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid
from ...core.forms import options
from ...core.i18n import LOCALES, _, locale
from ...partners import levels
from .. import service, translating
from ..forms import ArticleForm
from ..models import Article, Audience, Category, Translation, readers
from . import bp
from .asking import whole
from .managing import choices

#: Fields of the article itself: a translation of it has none of its own.
SHARED = ("category", "audience", "reader_tiers", "reader_tags", "owner", "review_due")


@bp.get("/new")
@requires(Permission.KB_WRITE)
def new() -> ResponseReturnValue:
    """An empty article, or an empty translation of one."""
    source = _source()
    if source:
        form = _form(
            source=source,
            locale=_missing(source),
            title=source.title,
            summary=source.summary,
            body=source.body,
            source_seen=source.article.source.revision if source.article.source else 0,
        )
    else:
        form = _form(locale=_missing(source), owner=current_user.id)
    return render_template("kb/edit.html", form=form, translation=None, source=source)


@bp.post("/new")
@requires(Permission.KB_WRITE)
def create() -> ResponseReturnValue:
    """Keep a new draft."""
    source = _source()
    form = _form(source=source)
    if form.validate_on_submit():
        try:
            with transaction():
                translation = _create(form, source)
                audit.record(current_user, "article.created", f"translation:{translation.id}")
        except HubError as error:
            form.blame(error)
        else:
            flash(_("The draft is saved. Only the team sees it until you publish it."))
            return redirect(url_for(".edit", id=translation.id), 303)
    return render_template("kb/edit.html", form=form, translation=None, source=source), 422


def _create(form: ArticleForm, source: Translation | None) -> Translation:
    why = form.why.data or ""
    if source:
        # Read again: the transaction has begun anew.
        article = whole(source.id).article
        translation = service.translate(article, current_user, form.locale.data, form.text, why=why)
        translating.catch_up(translation, current_user, _number(form.source_seen.data))
        return translation
    category = db.session.get_one(Category, form.category.data)
    audience = Audience(form.audience.data)
    started = Audience.STAFF if audience is Audience.CHOSEN else audience
    translation = service.create(current_user, category, started, form.locale.data, form.text, why=why)
    _share(translation.article, form)
    return translation


@bp.get("/<int:id>/edit")
@requires(Permission.KB_WRITE)
def edit(id: int) -> ResponseReturnValue:
    """The editor."""
    translation = whole(id)
    article = translation.article
    form = _form(
        locale=translation.locale,
        title=translation.title,
        summary=translation.summary,
        slug=translation.slug,
        tags=", ".join(translation.tags),
        body=translation.body,
        seen=translation.revision,
        source_seen=article.source.revision if article.source else 0,
        **_shared(article),
    )
    return _editor(form, translation)


@bp.post("/<int:id>/edit")
@requires(Permission.KB_WRITE)
def update(id: int) -> ResponseReturnValue:
    """Keep a new revision."""
    translation, form = whole(id), _form()
    form.locale.data = translation.locale
    form.locale.raw_data = [translation.locale]
    if form.validate_on_submit():
        try:
            with transaction():
                _update(whole(id), form)
        except HubError as error:
            form.blame(error)
        else:
            flash(_("Saved."))
            return redirect(url_for(".edit", id=id), 303)
    return _editor(form, whole(id)), 422


def _update(translation: Translation, form: ArticleForm) -> None:
    service.revise(
        translation, current_user, form.text, seen=_number(form.seen.data), why=form.why.data or ""
    )
    if form.is_minor.data:
        translating.nothing_to_translate(translation)
    if form.is_current.data:
        translating.catch_up(translation, current_user, _number(form.source_seen.data))
    _share(translation.article, form)
    audit.record(
        current_user,
        "article.edited",
        f"translation:{translation.id}",
        after={"revision": translation.revision},
    )


def _share(article: Article, form: ArticleForm) -> None:
    """What all translations have in common."""
    category = db.session.get_one(Category, form.category.data)
    service.file_under(article, category, Audience(form.audience.data), form.readers)
    article.owner_id = form.owner.data or None
    article.review_due = form.review_due.data


def _shared(article: Article) -> dict[str, Any]:
    tiers, tags = readers.split(article.readers)
    return {
        "category": article.category_id,
        "audience": article.audience,
        "reader_tiers": tiers,
        "reader_tags": ", ".join(tags),
        "owner": article.owner_id or 0,
        "review_due": article.review_due,
    }


@bp.post("/preview")
@requires(Permission.KB_WRITE)
def preview() -> ResponseReturnValue:
    """The text as the page will show it."""
    try:
        return str(service.preview(request.form.get("text", "")))
    except Invalid as error:
        return render_template("kb/_refused.html", message=error.message), 200


def _source() -> Translation | None:
    """The translation that `?of=` names, of which another is being made."""
    of = request.args.get("of", type=int)
    return whole(of) if of else None


def _missing(source: Translation | None) -> str:
    """The first language an article has no translation into, or the writer's own."""
    have = {each.locale for each in source.article.translations} if source else set()
    asked = request.args.get("lang", "")
    wanted = [asked] if asked in LOCALES else [locale(), *LOCALES]
    return next((lang for lang in [*wanted, *LOCALES] if lang not in have), locale())


def _form(*, source: Translation | None = None, **values: Any) -> ArticleForm:
    form = ArticleForm(data=values or None)
    if source:
        for name in SHARED:
            del form[name]
        return form
    form.category.choices = options(choices())
    form.reader_tiers.choices = options((tier.key, tier.name) for tier in levels.ladder())
    writers = select(User.id, User.name).where(
        User.role.in_(roles_with(Permission.KB_WRITE)), User.disabled_at.is_(None)
    )
    people = db.session.execute(writers.order_by(User.name)).all()
    form.owner.choices = options([(0, _("Nobody")), *((id, name) for id, name in people)])
    return form


def _editor(form: ArticleForm, translation: Translation) -> str:
    return render_template("kb/edit.html", form=form, translation=translation, source=None)


def _number(text: str | None) -> int:
    """What a hidden field holds; 0 for anything that is no number."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
