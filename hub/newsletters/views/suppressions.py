"""Addresses that get no newsletter any more."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import audit, i18n, sheets
from ...core.access import Permission, requires
from ...core.database import db, transaction
from ...core.errors import NotFound
from ...core.i18n import _, ngettext
from ...core.paging import page
from .. import audience, consent
from ..forms import SuppressForm
from ..models import Suppression, SuppressionReason
from ..words import REASONS
from . import bp, lists


@bp.get("/newsletters/suppressions")
@requires(Permission.NEWSLETTERS_MANAGE)
def suppressions() -> ResponseReturnValue:
    """The list, with a form to add an address."""
    return _page(SuppressForm())


def _page(form: SuppressForm, status: int = 200) -> ResponseReturnValue:
    words = request.args.get("q", "").strip()[:100]
    statement = select(Suppression)
    if words:
        statement = statement.where(Suppression.address.icontains(words, autoescape=True))
    rows = page(statement, request.args.get("cursor"), Suppression.created_at, Suppression.id)
    return render_template(
        "newsletters/suppressions.html", rows=rows, form=form, reasons=REASONS, q=words
    ), status


@bp.post("/newsletters/suppressions")
@requires(Permission.NEWSLETTERS_MANAGE)
def suppress() -> ResponseReturnValue:
    """Add an address by hand."""
    form = SuppressForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    address = audience.normalise(form.address.data or "")
    with transaction():
        consent.suppress(address, SuppressionReason.MANUAL)
        audit.record(current_user, "address.suppressed", f"address:{address}")
    flash(_("%(address)s gets no newsletters any more.", address=address))
    return redirect(url_for(".suppressions"), 303)


@bp.post("/newsletters/suppressions/<int:number>/release")
@requires(Permission.NEWSLETTERS_MANAGE)
def release(number: int) -> ResponseReturnValue:
    """Let an address get newsletters again."""
    with transaction():
        row = db.session.get(Suppression, number)
        if row is None:
            raise NotFound
        consent.release(row.address)
        audit.record(current_user, "address.released", f"address:{row.address}")
    flash(_("%(address)s can get newsletters again.", address=row.address))
    return redirect(url_for(".suppressions"), 303)


@bp.get("/newsletters/suppressions.csv")
@requires(Permission.NEWSLETTERS_MANAGE)
def export_suppressions() -> ResponseReturnValue:
    """The whole list as a file that can be read in again."""
    rows = db.session.execute(
        select(Suppression.address, Suppression.reason, Suppression.created_at).order_by(Suppression.id)
    )
    content = sheets.write(
        ("address", "reason", "since"),
        ((address, reason.value, i18n.iso(since)) for address, reason, since in rows),
    )
    name = {"Content-Disposition": 'attachment; filename="left-out.csv"'}
    return Response(content, content_type="text/csv; charset=utf-8", headers=name)


@bp.post("/newsletters/suppressions/import")
@requires(Permission.NEWSLETTERS_MANAGE)
def import_suppressions() -> ResponseReturnValue:
    """Add the addresses of a file; who is on the list stays as they are."""
    sheet = lists.uploaded(["address"], _("Choose a CSV file of at most 5 MB with a column “address”."))
    with transaction():
        added, wrong = consent.suppress_all((row.line, row["address"], row["reason"]) for row in sheet.rows)
        audit.record(current_user, "addresses.imported", "addresses", after={"added": added})
    flash(ngettext("%(count)s address added.", "%(count)s addresses added.", added))
    if wrong:
        flash(_("No address in these lines: %(lines)s.", lines=lists.enumerated(wrong)))
    return redirect(url_for(".suppressions"), 303)
