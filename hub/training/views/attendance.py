"""Who comes to a webinar, and who came."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, case, select
from sqlalchemy.orm import contains_eager

from ...accounts.models import User
from ...core import sheets
from ...core.access import Permission, requires, visible
from ...core.database import db, transaction
from ...core.i18n import _, ngettext, number
from ...partners.service import names_of
from .. import service
from ..models import Registration, RegistrationStatus, Webinar
from .blueprint import bp
from .webinars import one

#: A webinar's list is one page: who ticks names does not want to turn leaves.
MOST = 1000


@bp.get("/webinars/<int:id>/attendance")
@requires(Permission.TRAINING_MANAGE)
def attendance(id: int) -> ResponseReturnValue:
    """List who is registered, waits, or came."""
    webinar = one(id)
    rows = list(db.session.scalars(_people(webinar).limit(MOST)))
    return render_template(
        "training/attendance.html",
        webinar=webinar,
        rows=rows,
        partners=names_of([row.user_id for row in rows]),
    )


@bp.post("/webinars/<int:id>/attendance")
@requires(Permission.TRAINING_MANAGE)
def mark(id: int) -> ResponseReturnValue:
    """Note who came."""
    with transaction():
        count = service.mark_attendance(one(id), current_user, request.form.getlist("present", type=int))
    flash(ngettext("%(count)s person came.", "%(count)s people came.", count, count=number(count)))
    return redirect(url_for(".attendance", id=id), 303)


@bp.get("/webinars/<int:id>/attendance.csv")
@requires(Permission.TRAINING_MANAGE)
def attendance_csv(id: int) -> ResponseReturnValue:
    """The list for a spreadsheet."""
    rows = list(db.session.scalars(_people(one(id))))
    partners = names_of([row.user_id for row in rows])
    head = [_("Name"), _("Email"), _("Partner"), _("Status"), _("Registered at (UTC)")]
    content = sheets.write(
        head,
        (
            [
                each.user.name,
                each.user.email,
                partners.get(each.user_id, ""),
                str(each.status),
                f"{each.since:%Y-%m-%d %H:%M}",
            ]
            for each in rows
        ),
    )
    headers = {"Content-Disposition": f"attachment; filename=webinar-{id}-attendance.csv"}
    return Response(content, content_type="text/csv; charset=utf-8", headers=headers)


def _people(webinar: Webinar) -> Select[Any]:
    """Registrations with their people: seats first, then those who wait in their order, then those who gave up."""
    rank = case(
        (Registration.status == RegistrationStatus.WAITLISTED, 1),
        (Registration.status == RegistrationStatus.CANCELLED, 2),
        else_=0,
    )
    statement = visible(select(Registration), current_user).join(User, User.id == Registration.user_id)
    return (
        statement.options(contains_eager(Registration.user))
        .where(Registration.webinar_id == webinar.id)
        .order_by(rank, Registration.since, Registration.id)
    )
