"""The team's pages: the list of partners, a partner's card, and what may be changed there."""

import json
from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, String, cast, select
from sqlalchemy.orm import joinedload

from ...accounts.models import User
from ...core import months
from ...core.access import Permission, can, is_staff, requires, roles_with, visible, visible_or_404
from ...core.audit import AuditEvent
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid, NotFound
from ...core.i18n import _
from ...core.paging import Page, page
from .. import coupons, levels, links, members, service
from ..forms import CouponForm, MemberForm, PartnerForm
from ..models import Coupon, Partner, PartnerStatus, Tier
from ..places import countries
from ..words import CAUSE, CHANNELS, EVENT, KIND, ROLE, STATUS, VERBS
from . import bp

FILTERS = ("q", "status", "tier", "country", "manager", "tag")


@bp.get("/")
@requires(Permission.PARTNERS_VIEW)
def index() -> ResponseReturnValue:
    """List partners: filtered, by name or the newest first."""
    chosen = {name: request.args.get(name, "").strip() for name in FILTERS}
    sort = "joined" if request.args.get("sort") == "joined" else "name"
    statement = _filtered(visible(select(Partner), current_user), chosen)
    found = _sorted(statement.options(joinedload(Partner.manager), joinedload(Partner.tier)), sort)
    kept = {name: value for name, value in chosen.items() if value}
    names = dict(countries())
    return render_template(
        "partners/index.html",
        page=found,
        chosen=chosen,
        sort=sort,
        tiers=levels.ladder(),
        managers=managers(),
        countries=[(code, names.get(code, code)) for code in _countries_in_use()],
        country_names=names,
        statuses=STATUS,
        may_edit=can(current_user, Permission.PARTNERS_EDIT),
        link_to=lambda **values: url_for(
            ".index", **{"sort": sort if sort != "name" else None, **kept, **values}
        ),
    )


def _filtered(statement: Select[Any], chosen: dict[str, str]) -> Select[Any]:
    if chosen["q"]:
        statement = statement.where(service.named(chosen["q"]))
    if chosen["status"] in set(PartnerStatus):
        statement = statement.where(Partner.status == PartnerStatus(chosen["status"]))
    if chosen["tier"]:
        statement = statement.where(
            Partner.tier_id == select(Tier.id).where(Tier.key == chosen["tier"]).scalar_subquery()
        )
    if chosen["country"]:
        statement = statement.where(Partner.country == chosen["country"].upper())
    if chosen["manager"].isdecimal():
        statement = statement.where(Partner.manager_id == int(chosen["manager"]))
    if chosen["tag"]:
        # The list is kept as JSON text; a tag in it stands between its quotes.
        statement = statement.where(
            cast(Partner.tags, String).contains(json.dumps(chosen["tag"].lower()), autoescape=True)
        )
    return statement


def _sorted(statement: Select[Any], sort: str) -> Page:
    cursor = request.args.get("cursor")
    if sort == "joined":
        return page(statement, cursor, Partner.joined_at, Partner.id)
    return page(statement, cursor, Partner.folded, Partner.id, descending=False)


def _countries_in_use() -> list[str]:
    return list(db.session.scalars(select(Partner.country).distinct().order_by(Partner.country)))


def managers() -> list[User]:
    """Who may look after partners."""
    roles = roles_with(Permission.PARTNERS_VIEW)
    return list(
        db.session.scalars(
            select(User).where(User.role.in_(roles), User.disabled_at.is_(None)).order_by(User.name)
        )
    )


@bp.get("/<code>")
@requires(Permission.PARTNERS_OWN, Permission.PARTNERS_VIEW)
def show(code: str) -> ResponseReturnValue:
    """Show a partner's card; a partner comes to their own page."""
    partner = find(code)
    if not is_staff(current_user):
        return redirect(url_for(".own"), 303)
    return card(partner)


def card(
    partner: Partner, *, coupon_form: CouponForm | None = None, member_form: MemberForm | None = None
) -> str:
    changes = (
        select(AuditEvent)
        .where(AuditEvent.object == f"partner:{partner.id}")
        .order_by(AuditEvent.id.desc())
        .limit(8)
    )
    return render_template(
        "partners/show.html",
        partner=partner,
        people=members.members(partner),
        history=levels.history(partner),
        coupons=coupons.coupons(partner),
        changes=list(db.session.scalars(changes)),
        link_of=links.referral_link(partner),
        tiers=levels.ladder(),
        next_statuses=service.NEXT[partner.status],
        may_edit=can(current_user, Permission.PARTNERS_EDIT),
        coupon_form=coupon_form or CouponForm(formdata=None),
        member_form=member_form or MemberForm(formdata=None),
        country=dict(countries()).get(partner.country, partner.country),
        words={
            "kind": KIND,
            "status": STATUS,
            "verb": VERBS,
            "role": ROLE,
            "cause": CAUSE,
            "channel": CHANNELS,
            "event": EVENT,
        },
    )


def find(code: str) -> Partner:
    """The partner with this code, if the reader may see it."""
    return visible_or_404(select(Partner).where(Partner.code == code.upper()), current_user)


@bp.get("/new")
@requires(Permission.PARTNERS_EDIT)
def new() -> ResponseReturnValue:
    """Show an empty form."""
    form = PartnerForm(
        managers(), data={"time_zone": "Europe/Oslo", "country": "NO", "manager": str(current_user.id)}
    )
    return render_template("partners/form.html", form=form, partner=None)


@bp.post("/")
@requires(Permission.PARTNERS_EDIT)
def create() -> ResponseReturnValue:
    """Add a partner."""
    form = PartnerForm(managers())
    if form.validate_on_submit():
        try:
            with transaction():
                partner = service.create(current_user, form.code.data or "", **form.facts())
            flash(_("%(name)s is in the programme. Invite its owner now.", name=partner.name))
            return _to(partner)
        except Invalid as error:
            form.blame(error)
    return render_template("partners/form.html", form=form, partner=None), 422


@bp.get("/<code>/edit")
@requires(Permission.PARTNERS_EDIT)
def edit(code: str) -> ResponseReturnValue:
    """Show a partner's facts in a form."""
    partner = find(code)
    return render_template("partners/form.html", form=PartnerForm.of(partner, managers()), partner=partner)


@bp.post("/<code>/edit")
@requires(Permission.PARTNERS_EDIT)
def update(code: str) -> ResponseReturnValue:
    """Save a partner's facts."""
    partner = find(code)
    form = PartnerForm(managers())
    form.code.data = partner.code  # it never changes
    if not form.validate_on_submit():
        return render_template("partners/form.html", form=form, partner=partner), 422
    with transaction():
        service.edit(partner, current_user, **form.facts())
    flash(_("Saved."))
    return _to(partner)


@bp.post("/<code>/status")
@requires(Permission.PARTNERS_EDIT)
def status(code: str) -> ResponseReturnValue:
    """Activate, suspend or close a partner."""
    partner, wanted = find(code), request.form.get("status", "")
    if wanted not in set(PartnerStatus):
        raise NotFound
    return _attempt(partner, lambda: service.change_status(partner, PartnerStatus(wanted), current_user))


@bp.post("/<code>/tier")
@requires(Permission.PARTNERS_EDIT)
def tier(code: str) -> ResponseReturnValue:
    """Give a partner another level."""
    partner = find(code)
    wanted = db.session.scalar(select(Tier).where(Tier.key == request.form.get("tier", "")))
    if wanted is None:
        raise NotFound
    return _attempt(partner, lambda: levels.set_tier(partner, wanted, current_user))


@bp.post("/<code>/coupons")
@requires(Permission.PARTNERS_EDIT)
def add_coupon(code: str) -> ResponseReturnValue:
    """Give a partner a coupon."""
    partner, form = find(code), CouponForm()
    if form.validate_on_submit():
        until = months.midnight(form.until.data + timedelta(days=1)) if form.until.data else None
        try:
            with transaction():
                coupons.assign(
                    partner, current_user, form.code.data or "", ends_at=until, note=form.note.data
                )
            flash(_("The coupon counts from now on."))
            return _to(partner)
        except Invalid as error:
            form.blame(error)
    return card(partner, coupon_form=form), 422


@bp.post("/<code>/coupons/<int:id>/end")
@requires(Permission.PARTNERS_EDIT)
def end_coupon(code: str, id: int) -> ResponseReturnValue:
    """Let a coupon count no longer."""
    partner = find(code)
    coupon = db.session.scalar(select(Coupon).where(Coupon.id == id, Coupon.partner_id == partner.id))
    if coupon is None:
        raise NotFound
    return _attempt(partner, lambda: coupons.end(coupon, current_user))


def _attempt(partner: Partner, step: Any) -> ResponseReturnValue:
    """One step in a transaction, back to the card, with what the rules say when they refuse."""
    try:
        with transaction():
            step()
        flash(_("Saved."))
    except HubError as error:
        flash(str(error.message), "bad")
    return _to(partner)


def _to(partner: Partner) -> ResponseReturnValue:
    return redirect(url_for(".show", code=partner.code), 303)
