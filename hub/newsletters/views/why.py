"""Why someone got a newsletter or not, for the team that is asked."""

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires, visible_or_404
from ...partners.models import Partner
from .. import sequences, why
from . import bp


@bp.get("/newsletters/of/<code>")
@requires(Permission.PARTNERS_VIEW)
def of_partner(code: str) -> ResponseReturnValue:
    """The latest newsletters for each person of a partner, and what became of them."""
    partner = visible_or_404(select(Partner).where(Partner.code == code.upper()), current_user)
    people = why.people_of(partner)
    return render_template(
        "newsletters/of_partner.html",
        partner=partner,
        people=people,
        today=why.today(people),
        ways=sequences.ways([each.id for each in people]),
        latest=why.latest(people, current_user),
    )
