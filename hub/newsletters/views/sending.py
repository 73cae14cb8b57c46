"""Sending: the last look, the start, progress, the report."""

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import i18n
from ...core.access import Permission, requires, visible
from ...core.database import db, transaction
from ...core.errors import HubError
from ...core.i18n import LOCALES, _
from ...core.paging import page
from .. import (
    audience,
    checks,
    clickers,
    ledger,
    previews,
    report,
    segments,
    sequences,
    starting,
    steering,
    subscribers,
    trial,
    why,
)
from ..forms import ScheduleForm
from ..models import Delivery, DeliveryState, Newsletter, Status
from ..models_sequences import Sequence
from ..words import DELIVERY_WORDS, HOLDS, REASONS, STATUS_WORDS
from . import bp
from .writing import find


@bp.get("/newsletters/<int:number>")
@requires(Permission.NEWSLETTERS_MANAGE)
def show(number: int) -> ResponseReturnValue:
    """How far it is, and what became of each recipient."""
    newsletter = find(number)
    if newsletter.is_editable and not newsletter.has_started:  # a step of a sequence may be both
        return redirect(url_for(".edit", number=number), 303)
    if newsletter.status is Status.SCHEDULED:
        return redirect(url_for(".review", number=number), 303)
    state = request.args.get("state", "")
    words, who = (request.args.get(name, "").strip()[:100] for name in ("q", "who"))
    statement = visible(select(Delivery).where(Delivery.newsletter_id == number), current_user)
    if state in set(DeliveryState):
        statement = statement.where(Delivery.state == DeliveryState(state))
    if words:
        named = Delivery.address.icontains(words, autoescape=True) | Delivery.name.icontains(
            words, autoescape=True
        )
        statement = statement.where(named)
    figures = report.Report(newsletter)
    return render_template(
        "newsletters/show.html",
        newsletter=newsletter,
        progress=ledger.progress(newsletter, figures.counts),
        outcome=figures.outcome,
        by_tier=figures.by_tier(),
        by_country=figures.by_country(),
        **_followed(newsletter, figures.outcome),
        described=None if newsletter.is_step else audience.describe(newsletter.audience),
        deliveries=page(statement, request.args.get("cursor"), Delivery.id, descending=False),
        state=state,
        q=words,
        who=who,
        asked=_asked(newsletter, who),
        states=DELIVERY_WORDS,
        statuses=STATUS_WORDS,
        reasons=REASONS,
        holds=HOLDS,
        languages=LOCALES,
    )


def _followed(newsletter: Newsletter, outcome: report.Outcome) -> dict[str, Any]:
    """Its links, the newsletter before it, and what its readers earned."""
    return {
        "links": clickers.links(newsletter, clickers.SHOWN) if newsletter.tracks_clicks else [],
        "sides": trial.sides(newsletter) if newsletter.ab_share else {},
        "trial_due": trial.due_at(newsletter),
        "before": None if newsletter.is_step else clickers.before(newsletter),
        "earnings": clickers.earnings(newsletter) if outcome.clicked and not newsletter.is_step else None,
    }


def _asked(newsletter: Newsletter, words: str) -> list[tuple[segments.Verdict, why.Answer | None, list[str]]]:
    """People of a partner, with what became of it for them and whether the rule would mean them today.

    Whom a step has no line for, their ways through its sequence speak of.
    """
    verdicts = segments.explain(newsletter.audience, words)
    people = [each.user for each in verdicts]
    found = why.answers([newsletter], people, current_user) if people else {}
    sequence = db.session.get(Sequence, newsletter.sequence_id or 0) if people else None
    ways = sequences.ways([each.id for each in people], sequence) if sequence else {}
    return [
        (each, next(iter(found[each.user.id]), None), ways.get(each.user.id, []))
        for each in verdicts
        if found[each.user.id] or newsletter.is_step
    ]


@bp.get("/newsletters/<int:number>/progress")
@requires(Permission.NEWSLETTERS_MANAGE)
def progress(number: int) -> ResponseReturnValue:
    """The figures of a running newsletter, for a page that was away."""
    return jsonify(id=number, **ledger.progress(find(number)))


@bp.get("/newsletters/<int:number>/review")
@requires(Permission.NEWSLETTERS_MANAGE)
def review(number: int) -> ResponseReturnValue:
    """The last look: what is fine, what is missing, now or later."""
    newsletter = find(number)
    if newsletter.is_step:
        return redirect(url_for(".sequence", number=newsletter.sequence_id), 303)
    if newsletter.has_started:
        return redirect(url_for(".show", number=number), 303)
    if newsletter.status is Status.TEMPLATE:
        return redirect(url_for(".edit", number=number), 303)
    form = ScheduleForm(time_zone=newsletter.time_zone).offer()
    return _review(newsletter, form)


def _review(newsletter: Newsletter, form: ScheduleForm, status: int = 200) -> ResponseReturnValue:
    return render_template(
        "newsletters/review.html",
        newsletter=newsletter,
        form=form,
        checks=checks.review(newsletter),
        reached=subscribers.reached(newsletter),
        described=audience.describe(newsletter.audience),
        languages=LOCALES,
        holds=HOLDS,
    ), status


@bp.post("/newsletters/<int:number>/test")
@requires(Permission.NEWSLETTERS_MANAGE)
def test(number: int) -> ResponseReturnValue:
    """Send me one language of it, as it would arrive."""
    language = request.form.get("language", "")
    with transaction():
        previews.send_test(find(number), language if language in LOCALES else i18n.locale(), current_user)
    flash(_("A test is on its way to %(address)s.", address=current_user.email))
    return redirect(url_for(".edit", number=number, language=language), 303)


@bp.post("/newsletters/<int:number>/start")
@requires(Permission.NEWSLETTERS_MANAGE)
def start(number: int) -> ResponseReturnValue:
    """Send it now."""
    with transaction():
        starting.start(find(number), current_user)
    return redirect(url_for(".show", number=number), 303)


@bp.post("/newsletters/<int:number>/schedule")
@requires(Permission.NEWSLETTERS_MANAGE)
def schedule(number: int) -> ResponseReturnValue:
    """Send it later."""
    form = ScheduleForm().offer()
    if not form.validate_on_submit():
        return _review(find(number), form, 422)
    try:
        with transaction():
            local_time = form.local_time.data.strftime("%Y-%m-%dT%H:%M")
            starting.schedule(
                find(number), local_time, form.time_zone.data, current_user, own_time=form.own_time.data
            )
    except HubError as error:
        form.blame(error)
        return _review(find(number), form, error.status)
    return redirect(url_for(".review", number=number), 303)


@bp.post("/newsletters/<int:number>/unschedule")
@requires(Permission.NEWSLETTERS_MANAGE)
def unschedule(number: int) -> ResponseReturnValue:
    """Back to a draft."""
    with transaction():
        starting.unschedule(find(number), current_user)
    return redirect(url_for(".edit", number=number), 303)


@bp.post("/newsletters/<int:number>/pause")
@requires(Permission.NEWSLETTERS_MANAGE)
def pause(number: int) -> ResponseReturnValue:
    """Stop for now."""
    with transaction():
        steering.pause(find(number), actor=current_user)
    return redirect(url_for(".show", number=number), 303)


@bp.post("/newsletters/<int:number>/resume")
@requires(Permission.NEWSLETTERS_MANAGE)
def resume(number: int) -> ResponseReturnValue:
    """Go on."""
    with transaction():
        steering.resume(find(number), current_user)
    return redirect(url_for(".show", number=number), 303)


@bp.post("/newsletters/<int:number>/cancel")
@requires(Permission.NEWSLETTERS_MANAGE)
def cancel(number: int) -> ResponseReturnValue:
    """Send nothing more."""
    with transaction():
        steering.cancel(find(number), current_user)
    return redirect(url_for(".show", number=number), 303)
