"""What the team does: list, write, publish, look back."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager, undefer

from ...accounts.models import User
from ...core import audit
from ...core.access import Permission, requires, visible, visible_or_404
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid, NotFound
from ...core.i18n import LOCALES, _, locale, zone
from ...core.paging import page
from .. import service
from ..forms import AUDIENCES, ArticleForm, PublishForm, RestoreForm
from ..models import Article, Audience, Category, Feedback, Revision, Status, Translation
from . import bp


@bp.get("/manage")
@requires(Permission.KB_READ_STAFF)
def manage() -> ResponseReturnValue:
    """All translations, the last changed first."""
    chosen = {name: request.args.get(name, "").strip() for name in ("q", "lang", "status", "category")}
    found = page(_filtered(**chosen), request.args.get("cursor"), Translation.updated_at, Translation.id)
    kept: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return render_template(
        "kb/manage.html",
        page=found,
        chosen=chosen,
        audiences=AUDIENCES,
        categories=_categories(),
        waiting=db.session.scalar(
            select(func.count(Feedback.id)).where(Feedback.handled_at.is_(None), ~Feedback.is_helpful)
        ),
        link_to=lambda cursor: url_for(".manage", **kept, cursor=cursor),
    )


def _filtered(q: str, lang: str, status: str, category: str) -> Select[Any]:
    statement = visible(select(Translation), current_user).join(Translation.article)
    statement = statement.options(contains_eager(Translation.article).joinedload(Article.category))
    if q:
        statement = statement.where(Translation.title.icontains(q, autoescape=True))
    if lang in LOCALES:
        statement = statement.where(Translation.locale == lang)
    if status in set(Status):
        statement = statement.where(Translation.status == Status(status))
    if category.isdecimal():
        statement = statement.where(Article.category_id == int(category))
    return statement


def _categories() -> list[tuple[int, str]]:
    found = db.session.scalars(select(Category).order_by(Category.order, Category.id))
    return [(each.id, each.name()) for each in found]


@bp.get("/new")
@requires(Permission.KB_WRITE)
def new() -> ResponseReturnValue:
    """An empty article, or an empty translation of one."""
    source = _source()
    form = _form(locale=_missing(source))
    if source:
        form.category.data, form.audience.data = source.article.category_id, source.article.audience
        form.title.data, form.summary.data, form.body.data = source.title, source.summary, source.body
    return render_template("kb/edit.html", form=form, translation=None, source=source)


@bp.post("/new")
@requires(Permission.KB_WRITE)
def create() -> ResponseReturnValue:
    """Keep a new draft."""
    form, source = _form(), _source()
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
    if source:
        return service.translate(
            source.article, current_user, form.locale.data, form.text, why=form.why.data or ""
        )
    category = db.session.get_one(Category, form.category.data)
    audience = Audience(form.audience.data)
    return service.create(
        current_user, category, audience, form.locale.data, form.text, why=form.why.data or ""
    )


@bp.get("/<int:id>/edit")
@requires(Permission.KB_WRITE)
def edit(id: int) -> ResponseReturnValue:
    """The editor."""
    translation = _translation(id)
    article = translation.article
    form = _form(
        locale=translation.locale,
        title=translation.title,
        summary=translation.summary,
        category=article.category_id,
        audience=article.audience,
        slug=translation.slug,
        tags=", ".join(translation.tags),
        body=translation.body,
        seen=translation.revision,
    )
    return _editor(form, translation)


@bp.post("/<int:id>/edit")
@requires(Permission.KB_WRITE)
def update(id: int) -> ResponseReturnValue:
    """Keep a new revision."""
    translation, form = _translation(id), _form()
    form.locale.data = translation.locale
    form.locale.raw_data = [translation.locale]
    if form.validate_on_submit():
        try:
            with transaction():
                _update(_translation(id), form)
        except HubError as error:
            form.blame(error)
        else:
            flash(_("Saved."))
            return redirect(url_for(".edit", id=id), 303)
    return _editor(form, _translation(id)), 422


def _update(translation: Translation, form: ArticleForm) -> None:
    seen = int(form.seen.data) if str(form.seen.data).isdecimal() else 0
    service.revise(translation, current_user, form.text, seen=seen, why=form.why.data or "")
    category = db.session.get_one(Category, form.category.data)
    service.file_under(translation.article, category, Audience(form.audience.data))
    audit.record(
        current_user,
        "article.edited",
        f"translation:{translation.id}",
        after={"revision": translation.revision},
    )


@bp.post("/preview")
@requires(Permission.KB_WRITE)
def preview() -> ResponseReturnValue:
    """The text as the page will show it."""
    try:
        return str(service.preview(request.form.get("text", "")))
    except Invalid as error:
        return render_template("kb/_refused.html", message=error.message), 200


@bp.post("/<int:id>/publish")
@requires(Permission.KB_WRITE)
def publish(id: int) -> ResponseReturnValue:
    """Publish now or later."""
    form = PublishForm()
    if not form.validate_on_submit():
        abort(400)
    at = form.at.data.replace(tzinfo=zone()) if form.at.data else None
    with transaction():
        translation = _translation(id)
        service.publish(translation, at)
        audit.record(current_user, "article.published", f"translation:{id}")
    flash(_("Published.") if translation.is_published else _("The article will be published then."))
    return redirect(translation.path if translation.is_published else url_for(".edit", id=id), 303)


@bp.post("/<int:id>/archive")
@requires(Permission.KB_WRITE)
def archive(id: int) -> ResponseReturnValue:
    """Take the article away from readers."""
    with transaction():
        service.archive(_translation(id))
        audit.record(current_user, "article.archived", f"translation:{id}")
    flash(_("Archived. Readers no longer find it; the team still does."))
    return redirect(url_for(".edit", id=id), 303)


@bp.get("/<int:id>/revisions")
@requires(Permission.KB_READ_STAFF)
def revisions(id: int) -> ResponseReturnValue:
    """Who wrote what, when and why."""
    statement = select(Revision).where(Revision.translation_id == id)
    number = request.args.get("number", type=int)
    chosen = number and db.session.scalar(
        statement.where(Revision.number == number).options(undefer(Revision.body))
    )
    found = page(statement, request.args.get("cursor"), Revision.number, Revision.id)
    authors = {each.author_id for each in found} - {None}
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(authors))).all())
    return render_template(
        "kb/revisions.html",
        translation=_translation(id),
        page=found,
        names=names,
        chosen=chosen,
        html=service.preview(chosen.body) if chosen else None,
        link_to=lambda cursor: url_for(".revisions", id=id, cursor=cursor),
    )


@bp.post("/<int:id>/restore")
@requires(Permission.KB_WRITE)
def restore(id: int) -> ResponseReturnValue:
    """Make an old revision the present text."""
    form = RestoreForm()
    if not form.validate_on_submit():
        abort(400)
    with transaction():
        old = select(Revision).where(Revision.translation_id == id, Revision.number == form.number.data)
        revision = db.session.scalar(old)
        if revision is None:
            raise NotFound
        service.restore(_translation(id), current_user, revision)
        audit.record(current_user, "article.restored", f"translation:{id}", after={"from": revision.number})
    flash(_("Revision %(number)s is the present text again.", number=revision.number))
    return redirect(url_for(".edit", id=id), 303)


def _translation(id: int) -> Translation:
    """The translation with everything the editor shows."""
    statement = select(Translation).where(Translation.id == id).join(Translation.article)
    article = contains_eager(Translation.article)
    options = (
        article.joinedload(Article.category),
        article.selectinload(Article.translations),
        undefer(Translation.body),
    )
    return visible_or_404(statement.options(*options), current_user)


def _source() -> Translation | None:
    """The translation that `?of=` names, of which another is being made."""
    of = request.args.get("of", type=int)
    return _translation(of) if of else None


def _missing(source: Translation | None) -> str:
    """The first language an article has no translation into, or the writer's own."""
    have = {each.locale for each in source.article.translations} if source else set()
    asked = request.args.get("lang", "")
    wanted = [asked] if asked in LOCALES else [locale(), *LOCALES]
    return next((lang for lang in [*wanted, *LOCALES] if lang not in have), locale())


def _form(**values: Any) -> ArticleForm:
    form = ArticleForm(data=values or None)
    form.category.choices = _categories()
    return form


def _editor(form: ArticleForm, translation: Translation) -> str:
    return render_template("kb/edit.html", form=form, translation=translation, source=None)
