"""After the sending: mails in doubt settled by a person, everything as a table."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import sheets
from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from .. import clickers, report, steering
from ..models import Delivery
from . import bp
from .writing import find


@bp.post("/newsletters/<int:number>/deliveries/<int:delivery_id>/resolve")
@requires(Permission.NEWSLETTERS_MANAGE)
def resolve(number: int, delivery_id: int) -> ResponseReturnValue:
    """Say of a mail in doubt that it arrived, or send it again."""
    one = select(Delivery).where(Delivery.newsletter_id == number, Delivery.id == delivery_id)
    with transaction():
        delivery = visible_or_404(one, current_user)
        steering.resolve(delivery, request.form.get("arrived") == "yes", current_user)
    return redirect(url_for(".show", number=number, state="uncertain"), 303)


@bp.get("/newsletters/<int:number>/deliveries.csv")
@requires(Permission.NEWSLETTERS_MANAGE)
def export(number: int) -> ResponseReturnValue:
    """Every mail and what became of it, as CSV."""
    newsletter = find(number)
    return _csv(report.COLUMNS, report.rows(newsletter), f"newsletter-{number}.csv")


@bp.get("/newsletters/<int:number>/links.csv")
@requires(Permission.NEWSLETTERS_MANAGE)
def export_links(number: int) -> ResponseReturnValue:
    """Every counted link and how many followed it, as CSV."""
    newsletter = find(number)
    return _csv(clickers.COLUMNS, clickers.rows(newsletter), f"newsletter-{number}-links.csv")


def _csv(columns: Sequence[str], rows: Iterable[list[Any]], name: str) -> Response:
    body = sheets.write(columns, rows)
    return Response(
        body, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
