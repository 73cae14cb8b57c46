"""The search page, and results while typing."""

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import fulltext
from ...core.access import Permission, can, public, requires
from ...core.database import transaction
from ...core.errors import HubError
from ...core.fulltext import Answer
from ...core.i18n import LOCALES, _, locale
from .. import answers, log, service
from ..forms import QuestionForm
from . import bp

_MOST_SHELVES = 12


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """Results on a page of their own; works without scripts."""
    text = request.args.get("q", "").strip()
    asked = {name: request.args.get(name, "") for name in ("lang", "kind", "shelf")}
    kind, shelf = asked["kind"], asked["shelf"]
    number = min(max(request.args.get("page", 1, type=int), 1), 20)
    answer = service.find(current_user, text, **asked, page=number)
    is_new = number == 1 and not kind and not shelf
    kept: dict[str, Any] = {"q": text, "lang": asked["lang"] or None}
    narrowed = kept | {"kind": kind or None, "shelf": shelf or None}
    shown = answer.by_shelf.get(shelf, 0) if shelf else sum(answer.by_shelf.values())
    return render_template(
        "search/index.html",
        answer=answer,
        text=text,
        lang=asked["lang"] if asked["lang"] in LOCALES else locale(),
        kind=kind,
        shelf=shelf,
        labels={each.kind: each.label for each in fulltext.sources().values()},
        chips=_chips(answer, kind, kept),
        shelves=_shelves(answer) if kind else [],
        token=log.note(current_user, answer) if is_new else "",
        can_ask=can(current_user, Permission.TICKETS_OPEN),
        can_wish=can(current_user, Permission.SEARCH_USE) and not can(current_user, Permission.KB_WRITE),
        can_edit=can(current_user, Permission.KB_WRITE),
        moment=datetime.fromisoformat,
        newer=url_for(".index", **narrowed, page=number - 1) if number > 1 else None,
        older=url_for(".index", **narrowed, page=number + 1) if shown > number * service.PAGE else None,
    )


@bp.post("/opened")
@public
def opened() -> ResponseReturnValue:
    """A page of results says which of them was opened."""
    log.opened(request.form.get("token", ""), request.form.get("key", ""))
    return "", 204


@bp.post("/wish")
@requires(Permission.SEARCH_USE)
def wish() -> ResponseReturnValue:
    """Somebody wants to know when there is an answer."""
    form = QuestionForm()
    if form.validate_on_submit():
        try:
            with transaction():
                answers.wish(current_user, form.lang.data, form.text.data)
        except HubError:
            flash(_("There is nothing to wait for."))
        else:
            flash(_("We will tell you when there is an answer."))
    return redirect(url_for(".index", q=form.text.data or None), 303)


def _shelves(answer: Answer) -> list[tuple[str, str]]:
    """Categories to narrow down to, each with its number of results."""
    most = sorted(answer.by_shelf.items(), key=lambda each: (-each[1], each[0]))[:_MOST_SHELVES]
    named = [(name, f"{name} ({count})") for name, count in most if name]
    return [("", _("All categories")), *named]


def _chips(answer: Answer, chosen: str, kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The kinds there are results of, each with its number."""
    kinds = [("", _("Everything"), answer.total)]
    sources = fulltext.sources().values()
    kinds += [
        (each.kind, str(each.label), answer.by_kind[each.kind])
        for each in sources
        if each.kind in answer.by_kind
    ]
    return [
        {
            "label": label,
            "count": count,
            "current": kind == chosen,
            "url": url_for(".index", **kept, kind=kind or None),
        }
        for kind, label, count in kinds
    ]


@bp.get("/suggest")
@public
def suggest() -> ResponseReturnValue:
    """A listbox of the best hits, for the field at the top."""
    text = request.args.get("q", "").strip()
    answer = service.suggest(current_user, text)
    return render_template("search/suggest.html", answer=answer, groups=service.grouped(answer), text=text)
