"""The monthly update: look at what is new, choose, order, and get a draft."""

from datetime import UTC, date, datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import clock, i18n, months
from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.errors import Invalid
from ...core.i18n import _
from .. import audience, figures, monthly
from ..models import Topic
from . import bp


@bp.get("/newsletters/monthly")
@requires(Permission.NEWSLETTERS_MANAGE)
def monthly_update() -> ResponseReturnValue:
    """What is new since the last update, to be chosen from."""
    month, since = _month(request.args.get("month")), _since(request.args.get("since"))
    return render_template(
        "newsletters/monthly.html",
        groups=monthly.collect(since),
        month=month,
        months=[(f"{each:%Y-%m}", i18n.format_month(each)) for each in months.last_months(7)[-2::-1]],
        since=months.day_of(since).isoformat(),
        trouble=figures.trouble(month, audience.partner_ids([], Topic.REPORT)),
    )


@bp.post("/newsletters/monthly")
@requires(Permission.NEWSLETTERS_MANAGE)
def assemble() -> ResponseReturnValue:
    """Write the draft in every language."""
    month, since = _month(request.form.get("month")), _since(request.form.get("since"))
    with transaction():
        newsletter = monthly.assemble(current_user, month, since, request.form.getlist("blocks"))
    return redirect(url_for(".edit", number=newsletter.id), 303)


def _month(text: str | None) -> date:
    """A month that has begun; last month unless said otherwise."""
    month = months.parse(text) or months.previous_month(months.this_month())
    if month > months.this_month():
        raise Invalid(_("This month has not begun yet."))
    return month


def _since(text: str | None) -> datetime:
    """The beginning of a day; the last update unless said otherwise."""
    try:
        day = datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return monthly.since_last()
    return min(months.midnight(day), clock.now()) if day.year > 1970 else monthly.since_last()
