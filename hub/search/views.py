"""The search page, and results while typing."""

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..core import fulltext
from ..core.access import public
from ..core.fulltext import Answer
from ..core.i18n import LOCALES, _, locale
from . import service

bp = Blueprint("search", __name__, template_folder="templates", url_prefix="/search")


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """Results on a page of their own; works without scripts."""
    text = request.args.get("q", "").strip()
    lang, kind = request.args.get("lang", ""), request.args.get("kind", "")
    number = min(max(request.args.get("page", 1, type=int), 1), 20)
    answer = service.find(current_user, text, lang=lang, kind=kind, page=number)
    kept: dict[str, Any] = {"q": text, "lang": lang or None}
    shown = answer.by_kind.get(kind, 0) if kind else answer.total
    return render_template(
        "search/index.html",
        answer=answer,
        text=text,
        lang=lang if lang in LOCALES else locale(),
        kind=kind,
        labels={each.kind: each.label for each in fulltext.sources().values()},
        chips=_chips(answer, kind, kept),
        moment=datetime.fromisoformat,
        newer=url_for(".index", **kept, kind=kind or None, page=number - 1) if number > 1 else None,
        older=url_for(".index", **kept, kind=kind or None, page=number + 1)
        if shown > number * service.PAGE
        else None,
    )


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
