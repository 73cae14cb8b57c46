"""The page of statistics: the team's about everything, a partner's about their own use; and both as a file."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from ..core import i18n, sheets
from ..core.access import Permission, can, requires, visible
from ..core.database import db
from ..core.i18n import _
from ..core.paging import page
from ..partners.models import Partner
from . import stats, visiting, visits
from .blueprint import bp
from .models import KINDS, Asset, Campaign
from .stats import Question, Sums

SIZE, MOST_PAGES = 50, 10_000
TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@bp.get("/materials/statistics")
@requires(Permission.MATERIALS_VIEW)
def statistics() -> ResponseReturnValue:
    """Views, downloads, visits, conversions, earnings: `?by=asset|partner|unused`, `from`, `to`, one `asset`, one `partner`."""
    question, partner, asset = _question()
    views = _views() if asset is None else {}
    view = request.args.get("by", "asset") if request.args.get("by") in views else "asset"
    order = _order()
    rows = stats.sums(question, order)
    number = max(1, min(request.args.get("page", 1, type=int), MOST_PAGES))
    shown = rows[(number - 1) * SIZE : number * SIZE]
    idle = stats.unused(question)
    idle_count = db.session.scalar(idle.with_only_columns(func.count(), maintain_column_froms=True))
    return render_template(
        "materials/statistics.html",
        days=question.days,
        partner=partner,
        asset=asset,
        view=view,
        views=views,
        tabs=[
            {
                "label": label,
                "url": _address(by=by),
                "current": by == view,
                "count": idle_count if by == "unused" else None,
            }
            for by, label in views.items()
        ],
        order=order,
        total=stats.total(rows),
        rows=shown,
        page_number=number,
        has_more=len(rows) > number * SIZE,
        assets=stats.assets(shown) if question.by == "asset" else {},
        partners=stats.partners(shown) if question.by == "partner" else {},
        open_ids=_open([row.id for row in shown]) if question.by == "asset" else set(),
        idle=page(
            idle.options(joinedload(Asset.current)), request.args.get("cursor"), Asset.released_at, Asset.id
        )
        if view == "unused"
        else None,
        sites=stats.sites(question),
        address=_address,
        file=_file,
    )


@bp.get("/materials/statistics.<any(csv, xlsx):form>")
@requires(Permission.MATERIALS_VIEW)
def export_statistics(form: str) -> ResponseReturnValue:
    """The same table, all of it, as CSV or for Excel."""
    question, _partner, _asset = _question()
    rows = stats.sums(question, _order())
    currencies = sorted({currency for row in rows for currency in row.earned})
    header, lines = _table(question, rows, currencies)
    title = _("Statistics")
    data = sheets.write(header, lines) if form == "csv" else sheets.workbook(title, header, lines)
    response = Response(data, mimetype=TYPES[form])
    name = f"materials-{question.days.first}-{question.days.last}.{form}"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _views() -> dict[str, str]:
    """Ways to look at it; partners have no others to compare with."""
    if can(current_user, Permission.PARTNERS_OWN):
        return {"asset": _("By material"), "unused": _("Not used")}
    return {"asset": _("By material"), "partner": _("By partner"), "unused": _("Not used")}


def _question() -> tuple[Question, Any, Any]:
    """What is asked, and the partner and the asset it is narrowed to."""
    days = visits.span(request.args.get("from"), request.args.get("to"))
    partner, asset = visiting.partner_asked(), visiting.asset_asked()
    is_own = can(current_user, Permission.PARTNERS_OWN)
    # Of one material the team sees who uses it.
    by_partner = (asset is not None or request.args.get("by") == "partner") and not is_own and partner is None
    question = Question(
        current_user,
        days,
        "partner" if by_partner else "asset",
        asset.id if asset else None,
        partner.id if partner else None,
    )
    return question, partner, asset


def _order() -> str:
    asked = request.args.get("sort", "")
    return asked if asked in stats.ORDERS else "earned"


def _open(ids: list[int | None]) -> set[int]:
    statement = visible(select(Asset), current_user).where(Asset.id.in_([id for id in ids if id]))
    return set(db.session.scalars(statement.with_only_columns(Asset.id)))


def _address(**changes: Any) -> str:
    """This page with some of its query changed; another order or view begins at the first page."""
    query = {name: value for name, value in request.args.items() if name not in ("page", "cursor")}
    return url_for("materials.statistics", **(query | changes))


def _file(form: str) -> str:
    """The same as a file."""
    query: dict[str, Any] = {
        name: request.args[name]
        for name in ("from", "to", "asset", "partner", "by", "sort")
        if name in request.args
    }
    return url_for("materials.export_statistics", form=form, **query)


# --- As a file -------------------------------------------------------------


def _table(
    question: Question, rows: list[Sums], currencies: list[str]
) -> tuple[list[str], Iterator[list[Any]]]:
    numbers = [
        _("Impressions"),
        _("Downloads"),
        _("Clicks"),
        _("Conversions"),
        _("Of these without a click's id"),
    ]
    money = [_("Earned, %(currency)s", currency=currency) for currency in currencies]
    if question.by == "partner":
        heads = [_("Code"), _("Partner")]
        lines = _partner_lines(question, rows, currencies)
    else:
        heads = [_("Number"), _("Material"), _("Kind"), _("Size"), _("Language"), _("Promo campaign")]
        lines = _asset_lines(question, rows, currencies)
    return [*heads, *numbers, *money], lines


def _partner_lines(question: Question, rows: list[Sums], currencies: Iterable[str]) -> Iterator[list[Any]]:
    found = stats.facts(question, Partner.id, Partner.code, Partner.name)
    for row in rows:
        partner = found.get(row.id or 0)
        facts = [partner.code, partner.name] if partner else ["", _("Codes without a partner")]
        yield [*facts, *_numbers(row, currencies)]


def _asset_lines(question: Question, rows: list[Sums], currencies: Iterable[str]) -> Iterator[list[Any]]:
    columns = Asset.id, Asset.title, Asset.kind, Asset.width, Asset.height, Asset.locale, Campaign.names
    found = stats.facts(question, *columns)
    for row in rows:
        id, title, kind, width, height, locale, names = found[row.id or 0]
        size, campaign = f"{width}x{height}" if width else "", Campaign(names=names).name if names else ""
        yield [id, title, str(KINDS[kind]), size, locale or "", campaign, *_numbers(row, currencies)]


def _numbers(row: Sums, currencies: Iterable[str]) -> list[Any]:
    money = [Decimal(row.earned.get(each, 0)).scaleb(-i18n.exponent(each)) for each in currencies]
    return [row.views, row.downloads, row.visits, row.conversions, row.assumed, *money]
