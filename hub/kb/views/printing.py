"""Articles as PDF."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import storage
from ...core.access import public, visible_or_404
from ...core.database import transaction
from ...core.extensions import limiter
from .. import printing
from ..models import Translation
from ..models.exchange import PdfState
from . import bp


@bp.post("/<int:id>/pdf")
@public
@limiter.limit("30 per hour")
def want_pdf(id: int) -> ResponseReturnValue:
    """Have it made, and go where it will be."""
    with transaction():
        printing.want(_get(id))
    return redirect(url_for(".pdf", id=id), 303)


@bp.get("/<int:id>/pdf")
@public
def pdf(id: int) -> ResponseReturnValue:
    """The PDF; until there is one, a page that looks again every second."""
    translation = _get(id)
    found = printing.of(translation)
    if found and found.state is PdfState.MADE and found.key:
        return storage.send(
            found.key, filename=f"{translation.slug}.pdf", mimetype="application/pdf", inline=True
        )
    return render_template("kb/pdf.html", translation=translation, state=found.state if found else None)


def _get(id: int) -> Translation:
    return visible_or_404(select(Translation).where(Translation.id == id), current_user)
