"""The first page of each role."""

from flask import Blueprint, current_app, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..core.access import Permission, can, is_staff, public
from ..core.frame import link
from ..partners.links import referral_link
from ..partners.service import partner_of
from ..tickets import availability
from . import new, programme, service, waiting

bp = Blueprint("home", __name__, template_folder="templates")


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """Send everyone to where their day begins."""
    if not current_user.is_authenticated:
        return redirect(link("accounts.sign_in") or "/kb", 303)
    if not is_staff(current_user):
        return _partners_home()
    if can(current_user, Permission.REPORTS_VIEW):
        return render_template(
            "home/staff.html", programme=programme.overview(), hello=service.greeting(current_user)
        )
    return redirect(link("tickets.inbox") or link("notifications.index") or "/", 303)


@bp.get("/favicon.ico")
@public
def icon() -> ResponseReturnValue:
    """What browsers ask for beside a picture or a document, which cannot name its icon."""
    return redirect(current_app.jinja_env.globals["static"]("favicon.svg"), 302)  # type: ignore[operator]


def _partners_home() -> ResponseReturnValue:
    user = current_user._get_current_object()
    partner = partner_of(user)
    if partner is None:
        return render_template("home/alone.html")
    sales = service.sales_this_year(partner)
    return render_template(
        "home/partner.html",
        partner=partner,
        hello=service.greeting(user),
        my_link=referral_link(partner),
        chat=availability.now(),
        tasks=waiting.tasks(user),
        news=new.news(user),
        money=service.money(partner),
        way=service.way(partner, sales),
        steps=service.steps(partner, sales),
    )
