"""How the help was: by the link of a mail, or beside the thread. Opening a page never rates."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import i18n
from ...core.access import Permission, public, requires
from ...core.database import transaction
from ...core.errors import HubError, NotFound
from .. import mail_out
from .. import rating as rules
from ..forms import RatingForm
from ..models_rating import Rating
from ..scores import SCORES
from .shared import bp, thread_page, ticket_or_404


@bp.get("/tickets/rating/<token>")
@public
def rating(token: str) -> ResponseReturnValue:
    """Ask for the confirmation: mail scanners open every link."""
    found = _of(token)
    score = request.args.get("score", type=int)
    return _page(found, token, RatingForm(formdata=None, score=score if score in SCORES else None))


@bp.post("/tickets/rating/<token>")
@public
def rate(token: str) -> ResponseReturnValue:
    """Rate with the link of a mail, which is the proof of who it is."""
    found, form = _of(token), RatingForm()
    if not form.validate_on_submit():
        return _page(found, token, form), 422
    try:
        with transaction():
            rules.rate(found, found.ticket.requester, form.score.data, form.comment.data or "")
    except HubError as error:
        form.blame(error)
        return _page(found, token, form), error.status
    return redirect(url_for(".rating", token=token), 303)


@bp.post("/tickets/<int:number>/rating")
@requires(Permission.TICKETS_OPEN)
def rate_here(number: int) -> ResponseReturnValue:
    """Rate beside the thread."""
    ticket, form = ticket_or_404(number), RatingForm()
    found = rules.latest(ticket)
    if found is None:
        raise NotFound
    if not form.validate_on_submit():
        return thread_page(ticket, rating=found, rating_form=form), 422
    with transaction():
        rules.rate(found, current_user, form.score.data, form.comment.data or "")
    return redirect(url_for(".show", number=number, _anchor="rating"), 303)


def _of(token: str) -> Rating:
    """The rating of a link, in the language of whom it was sent to; NotFound once they may not see the ticket."""
    found = rules.read(token)
    if found is None or not mail_out.may_see(found.ticket.requester, found.ticket):
        raise NotFound
    i18n.activate(found.ticket.requester.locale)
    return found


def _page(found: Rating, token: str, form: RatingForm) -> str:
    return render_template(
        "tickets/rating.html",
        rating=found,
        ticket=found.ticket,
        form=form,
        is_open=rules.is_open(found, found.ticket),
        action=url_for(".rate", token=token),
        scores=SCORES,
    )
