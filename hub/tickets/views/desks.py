"""One's own desk: away or there, how many tickets, when."""

from datetime import time

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.i18n import _
from .. import rotation
from ..forms import DeskForm
from .shared import bp


@bp.get("/inbox/desk")
@requires(Permission.TICKETS_WORK)
def desk() -> ResponseReturnValue:
    """How I work: my hours, how much at once, and whether I am there."""
    mine = rotation.desk_or_default(current_user)
    form = DeskForm(
        takes_turns=mine.takes_turns,
        capacity=mine.capacity,
        opens=_wall(mine.opens),
        closes=_wall(mine.closes),
    )
    return render_template("tickets/desk.html", form=form, desk=mine)


@bp.post("/inbox/desk")
@requires(Permission.TICKETS_WORK)
def set_desk() -> ResponseReturnValue:
    """Keep how I work."""
    form = DeskForm()
    if not form.validate_on_submit():
        return render_template(
            "tickets/desk.html", form=form, desk=rotation.desk_or_default(current_user)
        ), 422
    with transaction():
        mine = rotation.desk_of(current_user)
        mine.takes_turns, mine.capacity = form.takes_turns.data, form.capacity.data
        mine.opens, mine.closes = _minute(form.opens.data), _minute(form.closes.data)
    flash(_("Saved."))
    return redirect(url_for(".desk"), 303)


@bp.post("/inbox/away")
@requires(Permission.TICKETS_WORK)
def away() -> ResponseReturnValue:
    """Leave my desk: what waits for me goes back to the team; or come back to it."""
    with transaction():
        mine = rotation.desk_of(current_user)
        if mine.away_since is None:
            rotation.go_away(current_user)
        else:
            rotation.come_back(current_user)
    return redirect(url_for(".desk"), 303)


def _wall(minute: int) -> time:
    return time(*divmod(min(minute, 24 * 60 - 1), 60))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
