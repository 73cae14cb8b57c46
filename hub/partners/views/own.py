"""A partner's own organisation: facts, people, the link with its builder and QR code."""

import io
from collections.abc import Mapping

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from ...core import storage
from ...core.access import Permission, requires, visible_or_404
from ...core.database import transaction
from ...core.errors import Forbidden, HubError, Invalid, NotFound
from ...core.frame import local
from ...core.i18n import _
from ...core.qr import qr_code
from .. import coupons, levels, links, logos, members, service
from ..forms import LinkForm, MemberForm, OwnForm
from ..models import Partner
from ..places import countries
from ..words import CAUSE, CHANNELS, KIND, ROLE, STATUS
from . import bp


def _own() -> Partner:
    partner = service.partner_of(current_user)
    if partner is None:
        raise NotFound
    return partner


@bp.get("/own")
@requires(Permission.PARTNERS_OWN)
def own() -> ResponseReturnValue:
    """Show one's organisation."""
    return page(_own())


def page(partner: Partner, *, member_form: MemberForm | None = None, logo_error: str = "") -> str:
    """The page of an organisation for its own people."""
    return render_template(
        "partners/own.html",
        partner=partner,
        people=members.members(partner),
        history=levels.history(partner),
        coupons=coupons.coupons(partner),
        link_of=links.referral_link(partner),
        is_owner=service.is_owner(current_user, partner),
        logo_error=logo_error,
        member_form=member_form or MemberForm(formdata=None),
        country=dict(countries()).get(partner.country, partner.country),
        words={"kind": KIND, "status": STATUS, "role": ROLE, "cause": CAUSE, "channel": CHANNELS},
    )


@bp.get("/own/edit")
@requires(Permission.PARTNERS_OWN)
def edit_own() -> ResponseReturnValue:
    """Show one's facts in a form."""
    partner = _owned()
    return render_template("partners/own_form.html", form=OwnForm(obj=partner), partner=partner)


@bp.post("/own/edit")
@requires(Permission.PARTNERS_OWN)
def update_own() -> ResponseReturnValue:
    """Save one's facts."""
    partner, form = _owned(), OwnForm()
    if not form.validate_on_submit():
        return render_template("partners/own_form.html", form=form, partner=partner), 422
    with transaction():
        service.edit(partner, current_user, **form.facts())
    flash(_("Saved."))
    return redirect(url_for(".own"), 303)


@bp.post("/own/logo")
@requires(Permission.PARTNERS_OWN)
def save_logo() -> ResponseReturnValue:
    """Keep another logo, or with `remove` none."""
    partner = _owned()
    try:
        key = (
            None if request.form.get("remove") else logos.prepare(request.files.get("logo") or FileStorage())
        )
    except HubError as error:
        return page(partner, logo_error=str(error.message)), 422
    with transaction():
        logos.put(partner, key, current_user)
    flash(_("Saved."))
    return redirect(url_for(".own"), 303)


@bp.get("/<code>/logo")
@requires(Permission.PARTNERS_OWN, Permission.PARTNERS_VIEW)
def logo(code: str) -> ResponseReturnValue:
    """Show the logo of a partner one may see."""
    partner = visible_or_404(select(Partner).where(Partner.code == code.upper()), current_user)
    if not partner.logo_key:
        raise NotFound
    return storage.send(partner.logo_key, filename="logo.png", mimetype="image/png", inline=True)


def _owned() -> Partner:
    partner = _own()
    if not service.is_owner(current_user, partner):
        raise Forbidden(_("Only owners of the organisation may do this."))
    return partner


@bp.get("/own/link")
@requires(Permission.PARTNERS_OWN)
def own_link() -> ResponseReturnValue:
    """Build a link to any page of the site, with its marks and its QR code."""
    partner, form = _own(), LinkForm(formdata=request.args)
    found, short, status = links.referral_link(partner), links.short_link(partner.code), 200
    if form.validate():
        try:
            marks = _marks(request.args)
            found = links.referral_link(partner, form.to.data or "", **marks)
            short = links.short_link(partner.code, form.to.data or "", **marks)
        except Invalid as error:
            form.blame(error)
            status = 422
    return render_template(
        "partners/link.html",
        partner=partner,
        form=form,
        link_of=found,
        short=short,
        query=request.args.to_dict(),
    ), status


@bp.post("/own/link/short")
@requires(Permission.PARTNERS_OWN)
def shorten() -> ResponseReturnValue:
    """Make a link short; back to the page that shows it."""
    through = request.form.get("through", "")[:32] or None
    with transaction():
        links.shorten(_own(), request.form.get("to", ""), through=through, **_marks(request.form))
    return redirect(local(request.form.get("next"), url_for(".own_link")), 303)


@bp.get("/own/qr.svg")
@requires(Permission.PARTNERS_OWN)
def qr() -> ResponseReturnValue:
    """The link as a QR code, for print and slides."""
    address = links.referral_link(_own(), request.args.get("to", "")[:200], **_marks(request.args))
    drawing = io.BytesIO()
    qr_code(address).save(drawing, kind="svg", light="white", scale=8, border=4, xmldecl=True)
    response = Response(drawing.getvalue(), mimetype="image/svg+xml")
    if "download" in request.args:
        response.headers.set("Content-Disposition", "attachment", filename=f"{_own().code}.svg")
    return response


def _marks(given: Mapping[str, str]) -> dict[str, str | None]:
    return {name: given.get(name, "").strip()[:60] for name in links.UTM}
