"""One's own profile: name, language, time zone, theme."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import clock, i18n
from ...core.access import signed_in
from ...core.database import transaction
from ...core.i18n import _
from .. import service
from ..forms import ProfileForm
from . import bp

FIELDS = ("name", "locale", "time_zone", "theme")


@bp.route("/profile", methods=["GET", "POST"])
@signed_in
def profile() -> ResponseReturnValue:
    """Show and change one's own profile."""
    form = ProfileForm(obj=current_user)
    if not form.validate_on_submit():
        return render_template(
            "accounts/profile.html", form=form, now=clock.now()
        ), 422 if form.is_submitted() else 200
    with transaction():
        service.edit_profile(current_user._get_current_object(), **{name: form[name].data for name in FIELDS})
    i18n.activate(current_user.locale, current_user.time_zone)
    flash(_("Your profile is saved."))
    return redirect(url_for(".profile"), 303)
