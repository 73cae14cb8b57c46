"""The editor: new articles, translations, changes, and how the page will look."""

import json
from collections.abc import Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...accounts.models import User
from ...core import audit
from ...core.access import Permission, requires, roles_with
from ...core.database import db, transaction
from ...core.errors import HubError
from ...core.forms import options
from ...core.i18n import LOCALES, _, locale
from ...partners import groups, levels
from .. import community, drafts, service, translating
from ..forms import ArticleForm
from ..models import Article, Audience, Category, Translation
from ..models.community import Post
from ..models.writing import Draft
from . import bp, merging
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
        form = _form(locale=_missing(source), owner=current_user.id, audience=Audience.PARTNERS)
    place = _place(None, source)
    unsaved = _unsaved(form, place)
    begun = [] if request.args.get("draft") else drafts.begun(current_user, _place_of_new(source))
    return _editor(form, None, source, unsaved=unsaved, begun=begun, place=place)


@bp.post("/new")
@requires(Permission.KB_WRITE)
def create() -> ResponseReturnValue:
    """Keep a new draft."""
    source = _source()
    form, place = _form(source=source), _place(None, source)
    if form.validate_on_submit():
        try:
            with transaction():
                translation = _create(form, source)
                drafts.drop(current_user, place)
                audit.record(current_user, "article.created", f"translation:{translation.id}")
        except HubError as error:
            form.blame(error)
        else:
            flash(_("The draft is saved. Only the team sees it until you publish it."))
            return redirect(url_for(".edit", id=translation.id), 303)
    return _editor(form, None, source, place=place), 422


def _create(form: ArticleForm, source: Translation | None) -> Translation:
    why = form.why.data or ""
    if source:
        # Read again: the transaction has begun anew.
        article = whole(source.id).article
        translation = service.translate(article, current_user, form.locale.data, form.text, why=why)
        translating.catch_up(translation, current_user, form.number("source_seen"))
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
        names_seen=ArticleForm.names_of(translation),
        source_seen=article.source.revision if article.source else 0,
        **_shared(article),
    )
    unsaved = _unsaved(form, str(id))
    _take_in(form, translation, request.args.get("answer", type=int))
    return _editor(form, translation, unsaved=unsaved)


def _take_in(form: ArticleForm, translation: Translation, answer_id: int | None) -> None:
    """Put a reader's answer at the end of the text, and say whose it is."""
    answer = _answer(translation, answer_id)
    if answer is not None:
        form.body.data = community.with_answer(form.body.data or "", answer)
        form.why.data, form.answer.data = community.credit(answer), str(answer.id)


def _answer(translation: Translation, id: int | None) -> Post | None:
    """An answer under this text."""
    wanted = select(Post).where(Post.id == id, Post.question_id.is_not(None))
    return db.session.scalar(wanted.where(Post.translation_id == translation.id)) if id else None


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
                drafts.drop(current_user, str(id))
        except service.EditedMeanwhile as error:
            return merging.conflict(form, whole(id), str(error.message)), 409
        except HubError as error:
            form.blame(error)
        else:
            flash(_("Saved."))
            return redirect(url_for(".edit", id=id), 303)
    return _editor(form, whole(id)), 422


@bp.post("/<int:id>/merge")
@requires(Permission.KB_WRITE)
def merge(id: int) -> ResponseReturnValue:
    """Take what was chosen of both edits to the editor; nothing is saved yet."""
    translation, form = whole(id), _form()
    form.locale.data = translation.locale
    if not form.body.data:
        abort(400)
    if request.form.get("theirs") != str(translation.revision):
        return merging.conflict(form, translation, str(service.EditedMeanwhile.message)), 409
    merging.put_together(form, translation)
    flash(_("Both edits are in the text below. Look it over, then save."))
    return _editor(form, translation)


def _update(translation: Translation, form: ArticleForm) -> None:
    seen, why = form.number("seen"), form.why.data or ""
    service.revise(translation, current_user, form.text, seen=seen, why=why)
    if form.is_minor.data and translation is translation.article.source:
        translating.nothing_to_translate(translation)
    if form.is_current.data:
        translating.catch_up(translation, current_user, form.number("source_seen"))
    _share(translation.article, form)
    answer = _answer(translation, form.number("answer"))
    if answer is not None:
        community.folded(answer, current_user)
    audit.record(
        current_user,
        "article.edited",
        f"translation:{translation.id}",
        after={"revision": translation.revision},
    )


def _share(article: Article, form: ArticleForm) -> None:
    """What all translations have in common: what this writer left alone stays as somebody else may have made it."""
    moved, other_readers, other_owner, other_review = form.has_changed()
    category = db.session.get_one(Category, form.category.data) if moved else article.category
    audience = Audience(form.audience.data) if other_readers else article.audience
    service.file_under(article, category, audience, form.readers if other_readers else article.readers)
    if other_owner:
        article.owner_id = form.owner.data or None
    if other_review:
        article.review_due = form.review_due.data


def _shared(article: Article) -> dict[str, Any]:
    tiers, tags = groups.split(article.readers)
    due = article.review_due
    seen = [
        article.category_id,
        [article.audience, *sorted(article.readers)],
        article.owner_id or 0,
        due.isoformat() if due else "",
    ]
    return {
        "shared_seen": json.dumps(seen),
        "category": article.category_id,
        "audience": article.audience,
        "reader_tiers": tiers,
        "reader_tags": ", ".join(tags),
        "owner": article.owner_id or 0,
        "review_due": article.review_due,
    }


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


def _place_of_new(source: Translation | None) -> str:
    return f"new:{source.id}" if source else "new"


def _place(translation: Translation | None, source: Translation | None) -> str:
    """The name of an editor, for drafts: each tab with something new has one of its own."""
    if translation:
        return str(translation.id)
    asked = request.args.get("draft", "")
    name = f"{_place_of_new(source)}-{asked}"
    return name if asked and drafts.PLACE.fullmatch(name) else drafts.new_place(_place_of_new(source))


def _unsaved(form: ArticleForm, place: str) -> Draft | None:
    """Fill the form with what this writer has typed before and not saved."""
    draft = drafts.mine(current_user, place)
    if draft is None or not draft.fields:
        return None
    form.take(draft.fields)
    return draft


def _editor(
    form: ArticleForm,
    translation: Translation | None,
    source: Translation | None = None,
    *,
    unsaved: Draft | None = None,
    begun: Sequence[Draft] = (),
    place: str = "",
) -> str:
    place = place or _place(translation, source)
    of = source.id if source else None
    return render_template(
        "kb/edit.html",
        form=form,
        translation=translation,
        source=source,
        place=place,
        here=None if translation else url_for(".new", of=of, draft=drafts.token_of(place)),
        unsaved=unsaved,
        begun=[(each, url_for(".new", of=of, draft=drafts.token_of(each.place))) for each in begun],
        others=drafts.others(current_user, place) if translation else [],
    )
