"""What people search for, and what the team can do about it."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...core import audit
from ...core.access import Permission, requires
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid, NotFound
from ...core.i18n import LOCALES, _, locale
from .. import answers, log, words
from ..forms import BestForm, EqualForm, QuestionForm
from ..models import BestAnswer, EqualWords
from . import bp

ABOUT = ("nothing", "ticket", "most")


@bp.get("/insights")
@requires(Permission.KB_WRITE)
def insights() -> ResponseReturnValue:
    """Questions without results, those followed by a ticket, and the most frequent."""
    about, lang = request.args.get("about", ABOUT[0]), request.args.get("lang", "")
    about = about if about in ABOUT else ABOUT[0]
    lang = lang if lang in LOCALES else ""
    return render_template(
        "search/insights.html", about=about, lang=lang, questions=log.questions(about, lang), names=LOCALES
    )


@bp.post("/insights/draft")
@requires(Permission.KB_WRITE)
def draft() -> ResponseReturnValue:
    """Begin an article that answers a question."""
    form = QuestionForm()
    if not form.validate_on_submit() or form.lang.data not in LOCALES:
        raise NotFound
    try:
        with transaction():
            begun = answers.begin(current_user, form.lang.data, form.text.data)
    except Invalid as error:
        flash(" ".join(str(text) for texts in error.errors.values() for text in texts))
        return redirect(url_for(".insights"), 303)
    return redirect(url_for("kb.edit", id=begun.id), 303)


@bp.get("/words")
@requires(Permission.KB_WRITE)
def vocabulary() -> ResponseReturnValue:
    """Equal words and best answers."""
    return _vocabulary(_equal_form(), _best_form())


@bp.post("/words/equal")
@requires(Permission.KB_WRITE)
def equate() -> ResponseReturnValue:
    """Let words find each other."""
    form = _equal_form()
    if form.validate_on_submit():
        try:
            with transaction():
                group = words.equate(form.lang.data, form.words.data)
                audit.record(
                    current_user, "search.words_equated", f"words:{form.lang.data}", after=group.words
                )
        except HubError as error:
            form.blame(error)
        else:
            flash(_("From now on these words find each other."))
            return redirect(url_for(".vocabulary"), 303)
    return _vocabulary(form, _best_form()), 422


@bp.post("/words/best")
@requires(Permission.KB_WRITE)
def put_first() -> ResponseReturnValue:
    """Make an article the first answer to a question."""
    form = _best_form()
    if form.validate_on_submit():
        try:
            with transaction():
                best = words.put_first(form.lang.data, form.text.data, form.address.data)
                audit.record(
                    current_user,
                    "search.answer_chosen",
                    f"translation:{best.translation_id}",
                    after=best.text,
                )
        except HubError as error:
            form.blame(error)
        else:
            flash(_("From now on this article comes first."))
            return redirect(url_for(".vocabulary"), 303)
    return _vocabulary(_equal_form(), form), 422


@bp.post("/words/<int:id>/remove")
@requires(Permission.KB_WRITE)
def separate(id: int) -> ResponseReturnValue:
    """Let words be strangers again."""
    return _remove(EqualWords, id)


@bp.post("/best/<int:id>/remove")
@requires(Permission.KB_WRITE)
def unchoose(id: int) -> ResponseReturnValue:
    """Let an article stand where it would by itself."""
    return _remove(BestAnswer, id)


def _remove(model: type[EqualWords] | type[BestAnswer], id: int) -> ResponseReturnValue:
    with transaction() as session:
        row: Any = session.get(model, id)
        if row is None:
            raise NotFound
        audit.record(current_user, "search.words_removed", f"{model.__tablename__}:{id}")
        session.delete(row)
    flash(_("Removed."))
    return redirect(url_for(".vocabulary"), 303)


def _equal_form() -> EqualForm:
    return EqualForm(prefix="equal", data={"lang": locale()})


def _best_form() -> BestForm:
    return BestForm(prefix="best", data={"lang": locale(), "text": request.args.get("text", "")})


def _vocabulary(equal: EqualForm, best: BestForm) -> str:
    chosen = select(BestAnswer).options(joinedload(BestAnswer.translation))
    return render_template(
        "search/words.html",
        equal=equal,
        best=best,
        groups=db.session.scalars(select(EqualWords).order_by(EqualWords.lang, EqualWords.id)).all(),
        answers=db.session.scalars(chosen.order_by(BestAnswer.lang, BestAnswer.text)).all(),
        names=LOCALES,
    )
