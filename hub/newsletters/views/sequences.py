"""Sequences: what brings people in, the steps, switching on and off, how far people are."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from ...core.access import Permission, requires, visible, visible_or_404
from ...core.database import transaction
from ...core.errors import Invalid, NotFound
from ...core.paging import page
from .. import segments, sequences, starters, triggers
from ..forms import SequenceForm, StepForm
from ..models import TOPICS, Newsletter, Topic
from ..models_sequences import Sequence, Trigger
from . import bp


def _find(number: int) -> Sequence:
    # The texts come with the steps: asked for after them, they would come in lots.
    whole = selectinload(Sequence.all_steps).joinedload(Newsletter.contents)
    return visible_or_404(select(Sequence).where(Sequence.id == number).options(whole), current_user)


def _step(sequence: Sequence, step_id: int) -> Newsletter:
    found = next((each for each in sequence.steps if each.id == step_id), None)
    if found is None:
        raise NotFound
    return found


@bp.get("/newsletters/sequences/")
@requires(Permission.NEWSLETTERS_MANAGE)
def sequence_index() -> ResponseReturnValue:
    """All sequences, the newest first."""
    found = page(
        visible(select(Sequence), current_user), request.args.get("cursor"), Sequence.created_at, Sequence.id
    )
    return render_template(
        "newsletters/sequences.html",
        found=found,
        people=sequences.people([each.id for each in found]),
        triggers=triggers.TRIGGERS,
        topics=TOPICS,
    )


@bp.get("/newsletters/sequences/new")
@requires(Permission.NEWSLETTERS_MANAGE)
def new_sequence() -> ResponseReturnValue:
    """Begin one."""
    return render_template("newsletters/sequence_form.html", form=SequenceForm(), sequence=None)


@bp.post("/newsletters/sequences/")
@requires(Permission.NEWSLETTERS_MANAGE)
def create_sequence() -> ResponseReturnValue:
    """Keep a new one."""
    form = SequenceForm()
    if not form.validate_on_submit():
        return render_template("newsletters/sequence_form.html", form=form, sequence=None), 422
    with transaction():
        sequence = sequences.create(
            current_user, form.name.data or "", Trigger(form.trigger.data), Topic(form.topic.data)
        )
        sequences.edit(sequence, days=form.days.data, tracks_clicks=form.tracks_clicks.data)
    return redirect(url_for(".sequence", number=sequence.id), 303)


@bp.get("/newsletters/sequences/<int:number>/edit")
@requires(Permission.NEWSLETTERS_MANAGE)
def edit_sequence(number: int) -> ResponseReturnValue:
    """What it is called, whom it means, what it counts."""
    sequence = _find(number)
    return render_template(
        "newsletters/sequence_form.html", form=SequenceForm(obj=sequence), sequence=sequence
    )


@bp.post("/newsletters/sequences/<int:number>/edit")
@requires(Permission.NEWSLETTERS_MANAGE)
def update_sequence(number: int) -> ResponseReturnValue:
    """Keep that."""
    form = SequenceForm()
    if not form.validate_on_submit():
        return render_template("newsletters/sequence_form.html", form=form, sequence=_find(number)), 422
    facts = {"name": form.name.data, "days": form.days.data, "tracks_clicks": form.tracks_clicks.data}
    try:
        with transaction():
            chosen = {"trigger": Trigger(form.trigger.data), "topic": Topic(form.topic.data)}
            sequences.edit(_find(number), **facts, **chosen)
    except Invalid as error:
        form.blame(error)
        return render_template(
            "newsletters/sequence_form.html", form=form, sequence=_find(number)
        ), error.status
    return redirect(url_for(".sequence", number=number), 303)


@bp.get("/newsletters/sequences/<int:number>")
@requires(Permission.NEWSLETTERS_MANAGE)
def sequence(number: int) -> ResponseReturnValue:
    """Its steps, and how many are at each."""
    return _page(_find(number), StepForm(formdata=None).offer(starters.titles()))


def _page(sequence: Sequence, form: StepForm, status: int = 200) -> ResponseReturnValue:
    words = request.args.get("who", "").strip()[:100]
    asked = segments.explain([], words)
    return render_template(
        "newsletters/sequence.html",
        sequence=sequence,
        form=form,
        standings=sequences.standings(sequence),
        people=sequences.people([sequence.id]).get(sequence.id, (0, 0)),
        before={} if sequence.is_on else _before(sequence),
        asked=asked,
        ways=sequences.ways([each.user.id for each in asked], sequence) if asked else {},
        who=words,
        triggers=triggers.TRIGGERS,
        topics=TOPICS,
    ), status


def _before(sequence: Sequence) -> dict[str, Any]:
    """What is to be known before it is switched on."""
    return {"checks": sequences.review(sequence), "would": triggers.number(sequence)}


@bp.post("/newsletters/sequences/<int:number>/steps")
@requires(Permission.NEWSLETTERS_MANAGE)
def add_step(number: int) -> ResponseReturnValue:
    """One more step, empty or from a ready text; its text is written next."""
    form = StepForm().offer(starters.titles())
    if not form.validate_on_submit():
        return _page(_find(number), form, 422)
    contents = starters.contents(form.starter.data or "")
    with transaction():
        step = sequences.add_step(
            _find(number), current_user, days=form.days.data or 0, hour=form.at, contents=contents
        )
    return redirect(url_for(".edit", number=step.id), 303)


@bp.post("/newsletters/sequences/<int:number>/steps/<int:step_id>")
@requires(Permission.NEWSLETTERS_MANAGE)
def time_step(number: int, step_id: int) -> ResponseReturnValue:
    """When it is sent."""
    sequence, form = _find(number), StepForm().offer(starters.titles())
    step = _step(sequence, step_id)
    if not form.validate_on_submit():
        return _page(sequence, form, 422)
    with transaction():
        sequences.time_step(step, sequence, form.days.data or 0, form.at)
    return redirect(url_for(".sequence", number=number), 303)


@bp.post("/newsletters/sequences/<int:number>/steps/<int:step_id>/remove")
@requires(Permission.NEWSLETTERS_MANAGE)
def remove_step(number: int, step_id: int) -> ResponseReturnValue:
    """Take it out."""
    with transaction():
        sequence = _find(number)
        sequences.take_out(_step(sequence, step_id), sequence, current_user)
    return redirect(url_for(".sequence", number=number), 303)


@bp.post("/newsletters/sequences/<int:number>/on")
@requires(Permission.NEWSLETTERS_MANAGE)
def switch_on(number: int) -> ResponseReturnValue:
    """Bring people in from now on, or also those from before."""
    with transaction():
        sequences.switch_on(_find(number), current_user, everyone=bool(request.form.get("everyone")))
    return redirect(url_for(".sequence", number=number), 303)


@bp.post("/newsletters/sequences/<int:number>/off")
@requires(Permission.NEWSLETTERS_MANAGE)
def switch_off(number: int) -> ResponseReturnValue:
    """Nobody comes in, nobody moves on."""
    with transaction():
        sequences.switch_off(_find(number), current_user)
    return redirect(url_for(".sequence", number=number), 303)


@bp.post("/newsletters/sequences/<int:number>/discard")
@requires(Permission.NEWSLETTERS_MANAGE)
def discard_sequence(number: int) -> ResponseReturnValue:
    """Delete one that nobody came into."""
    with transaction():
        sequences.discard(_find(number), current_user)
    return redirect(url_for(".sequence_index"), 303)
