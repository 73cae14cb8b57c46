"""The programme's report: a page and its CSV."""

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from ...core import months, sheets
from ...core.access import Permission, requires
from ...core.i18n import _, _l, exponent, format_date, format_month
from ...earnings.models import Attribution
from .. import period as periods
from .. import service
from ..period import Period
from .shared import bp

ATTRIBUTIONS = {
    Attribution.LINK: _l("Referral links"),
    Attribution.COUPON: _l("Coupons"),
    Attribution.MANUAL: _l("Added by hand"),
}


@bp.get("")
@requires(Permission.REPORTS_VIEW)
def index() -> ResponseReturnValue:
    """How a month went, beside the one before."""
    period = _asked()
    former = periods.before(period)
    days = (service.sales_by_day(period), service.sales_by_day(former))
    growing, struggling = service.movers(period, former)
    return render_template(
        "reports/index.html",
        period=period,
        former=former,
        choices=periods.choices(),
        figures=_figures(period, former),
        chart=_chart(period, former, *days),
        days=_table(period, *days),
        growing=growing,
        struggling=struggling,
        sources=service.sources(period),
        attributions=ATTRIBUTIONS,
        money=service.money(period),
        money_before=service.money(former),
    )


@bp.get("/sales.csv")
@requires(Permission.REPORTS_VIEW)
def export() -> ResponseReturnValue:
    """Sales and money of the month by currency, amounts as plain numbers."""
    period = _asked()
    header = [
        _("Month"),
        _("Currency"),
        _("Sales"),
        _("Renewals"),
        _("Turnover"),
        _("Commission"),
        _("Partners with a sale"),
    ]
    rows = [
        [
            f"{period.month:%Y-%m}",
            code,
            each.sales,
            each.renewals,
            _plain(each.turnover, code),
            _plain(each.commission, code),
            each.partners,
        ]
        for code, each in service.money(period).items()
    ]
    name = f"report-{period.month:%Y-%m}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(sheets.write(header, rows), mimetype="text/csv", headers=headers)


def _asked() -> Period:
    """The month of `?month=2026-10`, the present one when it is unknown or to come."""
    month = months.parse(request.args.get("month"))
    return periods.of(month if month and month <= months.this_month() else months.this_month())


def _plain(minor: int, currency: str) -> str:
    digits = exponent(currency)
    return f"{minor / 10**digits:.{digits}f}"


def _figures(period: Period, former: Period) -> list[dict[str, Any]]:
    return [
        {"label": _("Active partners"), "figure": service.active_partners(period, former), "kind": "number"},
        {"label": _("Sales by partners"), "figure": service.sales(period, former), "kind": "number"},
        {"label": _("Questions asked"), "figure": service.tickets_opened(period, former), "kind": "neutral"},
        {
            "label": _("First answer, median"),
            "figure": service.first_answer(period, former),
            "kind": "duration",
        },
    ]


def _chart(period: Period, former: Period, now: list[int], before: list[int]) -> dict[str, Any]:
    labels = [str(day + 1) for day in range(max(len(now), len(before)))]
    return {
        "type": "line",
        "labels": labels,
        "series": [
            {"label": format_month(period.month), "values": now},
            {"label": format_month(former.month), "values": before, "dashed": True},
        ],
    }


def _table(period: Period, now: list[int], before: list[int]) -> list[tuple[str, int | None, int | None]]:
    return [
        (
            format_date(period.month.replace(day=day + 1)) if day < len(now) else str(day + 1),
            now[day] if day < len(now) else None,
            before[day] if day < len(before) else None,
        )
        for day in range(max(len(now), len(before)))
    ]
