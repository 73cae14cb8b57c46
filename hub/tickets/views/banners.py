"""A partner asks for a banner that the library lacks: a ticket with the size and the purpose in it."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.errors import HubError
from ...core.i18n import LOCALES, _, format_date, locale
from .. import service
from ..forms import BannerForm
from ..models import Category
from .shared import bp

#: Sizes that advertising networks take.
SIZES = ["300 × 250", "336 × 280", "728 × 90", "970 × 250", "160 × 600", "300 × 600", "320 × 100", "1080 × 1080",
         "1200 × 628"]  # fmt: skip


@bp.get("/tickets/banner")
@requires(Permission.TICKETS_OPEN)
def new_banner() -> ResponseReturnValue:
    """The form; a gallery that shows nothing fitting brings size and language along."""
    asked = request.args
    lang = asked.get("lang") if asked.get("lang") in LOCALES else locale()
    return _page(BannerForm(size=asked.get("size", "")[:20].replace("x", " × "), language=lang))


@bp.post("/tickets/banner")
@requires(Permission.TICKETS_OPEN)
def request_banner() -> ResponseReturnValue:
    """Open the ticket."""
    form = BannerForm()
    if not form.validate_on_submit():
        return _page(form), 422
    size, language = form.pixels, LOCALES[form.language.data]
    try:
        with transaction():
            ticket = service.open_ticket(
                current_user,
                _("Banner %(size)s, %(language)s", size=size, language=language),
                _body(form, size, language),
                client_id=form.client_id.data,
                category=Category.MATERIALS,
            )
    except HubError as error:
        form.blame(error)
        return _page(form), error.status
    return redirect(url_for(".show", number=ticket.number), 303)


def _body(form: BannerForm, size: str, language: str) -> str:
    facts = [
        _("Size: %(size)s", size=size),
        _("Language: %(language)s", language=language),
        _("Where: %(place)s", place=form.place.data),
    ]
    if form.needed_by.data:
        facts.append(_("Needed by: %(day)s", day=format_date(form.needed_by.data)))
    return f"{form.purpose.data}\n\n" + "\n".join(f"- {fact}" for fact in facts)


def _page(form: BannerForm) -> str:
    return render_template("tickets/banner.html", form=form, sizes=SIZES)
