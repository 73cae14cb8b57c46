"""How the team answers: a page, and its table as CSV."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...accounts.models import User
from ...core import clock, i18n, sheets
from ...core.access import Permission, requires
from ...core.database import db
from ...core.i18n import Text, _, _l
from ...core.settings import settings
from ...partners.models import Tier
from ...tickets import fields as ticket_fields
from ...tickets.field_values import facts, shown
from ...tickets.forms import CATEGORIES, CHANNELS
from ...tickets.models_fields import NO, YES, TicketField
from .. import span as spans
from .. import support
from ..span import Span
from ..support import By, Group, Overview, Sums
from .shared import bp

TITLES = {
    By.AGENT: _l("Agent"),
    By.CATEGORY: _l("Topic"),
    By.TIER: _l("Level"),
    By.CHANNEL: _l("Came by"),
}
USUAL = {
    "month": _l("30 days"),
    "quarter": _l("90 days"),
    "year": _l("This year"),
    "twelve": _l("Twelve months"),
}
#: More days than this are summed up by week.
DAYS = 62
#: Shades of the heat map.
SHADES = 4


@bp.get("/support")
@requires(Permission.REPORTS_VIEW)
def support_index() -> ResponseReturnValue:
    """Questions, answers and what was thought of them."""
    fields = ticket_fields.picked(current_user)
    span, group = _asked(fields)
    found = support.overview(span, group)
    hours = support.asked_by_hour(span)
    heat = support.week(hours, settings.programme_timezone)
    return render_template(
        "reports/support.html",
        span=span,
        by=group.name,
        title=_title(group),
        now=found.now,
        before=found.before,
        quick=_quick(span, group),
        groupings=_groupings(span, group, fields),
        rows=_rows(found, group),
        steps=_steps(support.by_day(hours, span)),
        chart=_chart,
        heat=heat,
        busiest=max(max(day) for day in heat),
        shades=SHADES,
        backlog=support.backlog(min(span.end, clock.now())),
        backlog_before=sum(support.backlog(span.before.end)),
        ages=_ages(),
        weekdays=[i18n.format_weekday(date(2024, 1, 1) + timedelta(days=n)) for n in range(7)],
    )


@bp.get("/support.csv")
@requires(Permission.REPORTS_VIEW)
def support_export() -> ResponseReturnValue:
    """The table by agent, topic, level, channel or field; times in minutes of working time."""
    fields = ticket_fields.picked(current_user)
    span, group = _asked(fields)
    found = support.overview(span, group)
    header = [
        _title(group),
        _("Questions"),
        _("First answer, median"),
        _("First answer, nine in ten"),
        _("Solution, median"),
        _("Solution, nine in ten"),
        _("Solved"),
        _("Opened again"),
        _("Ratings"),
        _("Rating"),
    ]
    rows = [
        [
            name,
            each.asked,
            each.first.median,
            each.first.p90,
            each.resolution.median,
            each.resolution.p90,
            each.settled,
            each.reopened,
            each.ratings,
            None if each.score is None else f"{each.score:.2f}",
        ]
        for name, each in [*_rows(found, group), (_("All"), found.now)]
    ]
    name = f"support-{group.name}-{span.first}-{span.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(sheets.write(map(str, header), rows), mimetype="text/csv", headers=headers)  # type: ignore[arg-type]


def _asked(fields: list[TicketField]) -> tuple[Span, Group]:
    wanted = request.args.get("by", "")
    span = spans.of(request.args.get("from"), request.args.get("to"))
    groups = [*(Group(by) for by in By), *(Group(field=field) for field in fields)]
    return span, next((each for each in groups if each.name == wanted), Group())


def _title(group: Group) -> str:
    return group.field.name if group.field else str(TITLES[group.by])


def _quick(span: Span, group: Group) -> list[dict[str, Any]]:
    """Usual periods to choose from."""
    return [
        {"label": USUAL[name], "url": _address(each, group), "current": each == span}
        for name, each in spans.usual().items()
    ]


def _groupings(span: Span, group: Group, fields: list[TicketField]) -> list[dict[str, Any]]:
    return [
        {
            "label": _title(each),
            "url": _address(span, each) + "#groups",
            "current": each.name == group.name,
        }
        for each in [*(Group(by) for by in TITLES), *(Group(field=field) for field in fields)]
    ]


def _address(span: Span, group: Group) -> str:
    days: dict[str, Any] = {"from": span.first.isoformat(), "to": span.last.isoformat()}
    return url_for(".support_index", by=group.name, **days)


def _rows(found: Overview, group: Group) -> list[tuple[str, Sums]]:
    """Groups with their names, those with most questions first."""
    names = _field_names(group.field) if group.field else _names(group.by, found.groups)
    rows = [(str(names.get(key, "—")), sums) for key, sums in found.groups.items()]
    return sorted(rows, key=lambda row: (-row[1].asked, row[0]))


def _field_names(field: TicketField) -> Mapping[Any, Text]:
    values = [str(each["key"]) for each in field.choices] or [YES, NO]
    return {None: _("Not filled in"), **{value: shown(facts(field), value) for value in values}}


def _names(by: By, found: Mapping[Any, Sums]) -> Mapping[Any, Text]:
    match by:
        case By.CATEGORY:
            return CATEGORIES
        case By.CHANNEL:
            return CHANNELS
        case By.TIER:
            return {None: _("No level"), **{each.id: each.name for each in db.session.scalars(select(Tier))}}
        case By.AGENT:
            people = select(User.id, User.name).where(User.id.in_([key for key in found if key]))
            return {None: _("Nobody"), **{id: name for id, name in db.session.execute(people)}}  # noqa: C416


def _steps(days: Mapping[date, int]) -> list[tuple[str, int]]:
    """(label, questions) of each day, or of each week where there are many days."""
    if len(days) <= DAYS:
        return [(i18n.format_date(day), count) for day, count in days.items()]
    weeks: dict[date, int] = {}
    for day, count in days.items():
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, 0) + count
    return [(_("week of %(date)s", date=i18n.format_date(day)), count) for day, count in weeks.items()]


def _chart(steps: list[tuple[str, int]]) -> dict[str, Any]:
    return {
        "type": "bar",
        "labels": [label for label, _count in steps],
        "series": [{"label": _("Questions"), "values": [count for _label, count in steps]}],
    }


def _ages() -> list[str]:
    return [
        _("less than a day"),
        _("1 to 3 days"),
        _("3 to 7 days"),
        _("7 to 30 days"),
        _("longer"),
    ]
