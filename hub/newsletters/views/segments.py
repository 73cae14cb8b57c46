"""Saved segments, and the rows of conditions that segments and audiences are made of."""

import functools
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from ...core.access import Permission, requires, visible, visible_or_404
from ...core.database import transaction
from ...core.errors import Invalid
from ...core.i18n import LOCALES, _
from ...core.paging import page
from .. import audience, rules, segments, wording
from ..forms import SegmentForm
from ..models import Segment, Topic
from ..rules import Rule
from . import bp

#: Readers shown as examples.
SAMPLE = 10


def rule_from(form: MultiDict[str, str]) -> Rule:
    """The rule that rows of conditions say: `at` numbers the rows, `3-kind`, `3-values` … are their fields."""
    conditions: list[dict[str, Any]] = []
    for at in form.getlist("at")[:50]:
        fields = ("kind", "op", "days", "day", "amount", "currency", "from", "to", "not")
        condition: dict[str, Any] = {name: form.get(f"{at}-{name}", "").strip()[:100] for name in fields}
        condition["values"] = form.getlist(f"{at}-values")
        if condition["kind"] == "chosen":
            condition["values"] = [
                code for each in condition["values"] for code in each.upper().replace(",", " ").split()
            ]
        conditions.append(condition)
    found = rules.clean(conditions)
    return [{"kind": "any", "rules": found}] if form.get("match") == "any" and len(found) > 1 else found


def rows_of(rule: Rule) -> dict[str, Any]:
    """A rule as rows for the page: what is joined by “any” comes out of its group."""
    is_any = len(rule) == 1 and rule[0]["kind"] == "any" and not rule[0].get("not")
    conditions = rule[0]["rules"] if is_any else rule
    return {
        "match": "any" if is_any else "all",
        "rows": [(at, each, wording.choices(each["kind"])) for at, each in enumerate(conditions)],
        "kinds": wording.labels(),
        "ops": wording.OPS,
    }


def reach(rule: Rule, topic: Topic) -> dict[str, Any]:
    """How many a rule reaches, some of them, and in which languages."""
    return {
        "reached": audience.count(rule, topic),
        "sample": list(audience.recipients(rule, topic, limit=SAMPLE)),
        "languages": audience.languages(rule, topic),
        "names": LOCALES,
    }


def _find(number: int) -> Segment:
    return visible_or_404(select(Segment).where(Segment.id == number), current_user)


@bp.get("/newsletters/segments/")
@requires(Permission.NEWSLETTERS_MANAGE)
def segment_index() -> ResponseReturnValue:
    """All segments."""
    found = page(
        visible(select(Segment), current_user),
        request.args.get("cursor"),
        Segment.name,
        Segment.id,
        descending=False,
    )
    describe = functools.partial(wording.describe, offered=functools.cache(wording.choices))
    return render_template("newsletters/segments.html", segments=found, describe=describe)


@bp.get("/newsletters/segments/new")
@requires(Permission.NEWSLETTERS_MANAGE)
def new_segment() -> ResponseReturnValue:
    """Begin a segment."""
    return _page(SegmentForm(), None, [])


def _page(form: SegmentForm, segment: Segment | None, rule: Rule, status: int = 200) -> ResponseReturnValue:
    words = request.args.get("who", "")[:100]
    return render_template(
        "newsletters/segment.html",
        form=form,
        segment=segment,
        who=words,
        verdicts=segments.explain(rule, words),
        **rows_of(rule),
        **reach(rule, Topic.SERVICE),
    ), status


@bp.post("/newsletters/segments/")
@requires(Permission.NEWSLETTERS_MANAGE)
def create_segment() -> ResponseReturnValue:
    """Keep a new segment."""
    return _save(None)


def _save(number: int | None) -> ResponseReturnValue:
    form, rule = SegmentForm(), rule_from(request.form)
    segment = _find(number) if number else None
    if not form.validate_on_submit():
        return _page(form, segment, rule, 422)
    try:
        with transaction():
            present = _find(number) if number else None
            kept = segments.save(current_user, form.name.data or "", rule, present)
    except Invalid as error:
        form.blame(error)
        return _page(form, segment, rule, error.status)
    flash(_("Segment “%(name)s” is saved.", name=kept.name))
    return redirect(url_for(".segment", number=kept.id), 303)


@bp.get("/newsletters/segments/<int:number>")
@requires(Permission.NEWSLETTERS_MANAGE)
def segment(number: int) -> ResponseReturnValue:
    """A segment, how many it reaches, and with `who` why someone is in or out."""
    found = _find(number)
    return _page(SegmentForm(obj=found), found, found.rule)


@bp.post("/newsletters/segments/<int:number>")
@requires(Permission.NEWSLETTERS_MANAGE)
def update_segment(number: int) -> ResponseReturnValue:
    """Keep changes of a segment."""
    return _save(number)


@bp.post("/newsletters/segments/<int:number>/delete")
@requires(Permission.NEWSLETTERS_MANAGE)
def delete_segment(number: int) -> ResponseReturnValue:
    """Forget a segment that nothing uses."""
    with transaction():
        segments.delete(_find(number), current_user)
    return redirect(url_for(".segment_index"), 303)


@bp.post("/newsletters/segments/count")
@requires(Permission.NEWSLETTERS_MANAGE)
def count_segment() -> ResponseReturnValue:
    """How many a rule reaches that is just being made."""
    topic = request.form.get("topic", "")
    wanted = Topic(topic) if topic in set(Topic) else Topic.SERVICE
    return render_template("newsletters/_reach.html", **reach(rule_from(request.form), wanted))


@bp.get("/newsletters/segments/condition/<kind>")
@requires(Permission.NEWSLETTERS_MANAGE)
def condition(kind: str) -> ResponseReturnValue:
    """An empty row for a condition of a kind."""
    known = kind if kind in wording.labels() else "tier"
    return render_template(
        "newsletters/_condition.html",
        at=request.args.get("at", 0, type=int),
        condition={"kind": known},
        choices=wording.choices(known),
        kinds=wording.labels(),
        ops=wording.OPS,
    )
