"""Drafts: begin, write, look at them, say whom they are for."""

from email.utils import parseaddr
from typing import Any

from flask import Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select

from ...core import clock, i18n
from ...core.access import Permission, requires, visible, visible_or_404
from ...core.database import db, transaction
from ...core.i18n import LOCALES, _
from ...core.paging import page
from ...core.security import CSP
from ...core.settings import settings
from .. import audience, blocks, checks, drafts, linkcheck, starters, subscribers, variables
from ..forms import AudienceForm, StartForm, TextForm
from ..models import TOPICS, Content, Delivery, DeliveryState, Newsletter, Shown, Status, Topic
from ..words import STATUS_WORDS
from . import bp
from .segments import reach, rows_of, rule_from

#: Readers offered for a preview.
SAMPLE = 10


def find(number: int) -> Newsletter:
    """A newsletter that the person may see; NotFound otherwise."""
    return visible_or_404(select(Newsletter).where(Newsletter.id == number), current_user)


@bp.get("/newsletters/")
@requires(Permission.NEWSLETTERS_MANAGE)
def index() -> ResponseReturnValue:
    """All newsletters, the newest first."""
    status, topic, words = (request.args.get(name, "") for name in ("status", "topic", "q"))
    statement = visible(select(Newsletter).where(Newsletter.sequence_id.is_(None)), current_user)
    if status in set(Status):
        statement = statement.where(Newsletter.status == Status(status))
    else:
        statement = statement.where(Newsletter.status != Status.TEMPLATE)
    if topic in set(Topic):
        statement = statement.where(Newsletter.topic == Topic(topic))
    if words.strip():
        named = Content.subject.icontains(words.strip()[:100], autoescape=True)
        statement = statement.where(Newsletter.id.in_(select(Content.newsletter_id).where(named)))
    newsletters = page(statement, request.args.get("cursor"), Newsletter.created_at, Newsletter.id)
    return render_template(
        "newsletters/index.html",
        newsletters=newsletters,
        sent=_sent([each.id for each in newsletters]),
        statuses=STATUS_WORDS,
        topics=TOPICS,
        status_choices=[("", _("all")), *((key.value, words[0]) for key, words in STATUS_WORDS.items())],
        topic_choices=[("", _("all")), *((key.value, words[0]) for key, words in TOPICS.items())],
        status=status,
        topic=topic,
        words=words,
    )


def _sent(numbers: list[int]) -> dict[int, tuple[int, int]]:
    """(sent, all) deliveries of newsletters, in one statement."""
    total, sent = func.count(), func.count().filter(Delivery.state == DeliveryState.SENT)
    rows = select(Delivery.newsletter_id, sent, total).where(Delivery.newsletter_id.in_(numbers))
    return {
        number: (some, every)
        for number, some, every in db.session.execute(rows.group_by(Delivery.newsletter_id))
    }


@bp.get("/newsletters/new")
@requires(Permission.NEWSLETTERS_MANAGE)
def new() -> ResponseReturnValue:
    """Choose what to begin with."""
    return render_template(
        "newsletters/new.html",
        form=StartForm(),
        starters=starters.starters(),
        templates=_templates(),
        topics=TOPICS,
    )


def _templates() -> list[Newsletter]:
    """The team's own texts to begin with, the newest first."""
    kept = visible(select(Newsletter).where(Newsletter.status == Status.TEMPLATE), current_user)
    return list(db.session.scalars(kept.order_by(Newsletter.id.desc()).limit(50)))


@bp.post("/newsletters/")
@requires(Permission.NEWSLETTERS_MANAGE)
def create() -> ResponseReturnValue:
    """Begin a draft, empty or from a ready text."""
    form = StartForm()
    if not form.validate_on_submit():
        return render_template(
            "newsletters/new.html",
            form=form,
            starters=starters.starters(),
            templates=_templates(),
            topics=TOPICS,
        ), 422
    starter = starters.starter(form.starter.data or "")
    template = request.form.get("template", 0, type=int)
    with transaction():
        if template:
            newsletter = drafts.clone(find(template), current_user)
        elif starter:
            newsletter = drafts.create(current_user, starter.topic, contents=starter.contents.values())
        else:
            newsletter = drafts.create(current_user, Topic(form.topic.data))
    return redirect(url_for(".edit", number=newsletter.id), 303)


@bp.get("/newsletters/<int:number>/edit")
@requires(Permission.NEWSLETTERS_MANAGE)
def edit(number: int) -> ResponseReturnValue:
    """Write the text of one language beside what it will look like."""
    newsletter = find(number)
    if not newsletter.is_editable:
        return redirect(url_for(".show", number=number), 303)
    locale = _locale(newsletter)
    content = newsletter.content(locale)
    return _editor(newsletter, locale, TextForm(obj=content, has_plain=bool(content and content.plain)))


def _locale(newsletter: Newsletter) -> str:
    """The language asked for, or the first one written."""
    asked = request.values.get("language", "")
    if asked in LOCALES:
        return asked
    return next((each.locale for each in newsletter.written or newsletter.contents), i18n.locale())


def _editor(newsletter: Newsletter, locale: str, form: TextForm, status: int = 200) -> Response:
    body = render_template(
        "newsletters/edit.html",
        newsletter=newsletter,
        language=locale,
        languages=LOCALES,
        form=form,
        variables=variables.catalogue(),
        block_kinds=blocks.KINDS,
        personal=blocks.PERSONAL,
        sender=parseaddr(settings.mail_from),
        readers=list(audience.recipients(newsletter.audience, newsletter.topic, limit=SAMPLE)),
        described=audience.describe(newsletter.audience),
        **readiness_of(newsletter),
    )
    return framing(make_response(body, status))


def readiness_of(newsletter: Newsletter) -> dict[str, Any]:
    return {
        "checks": checks.review(newsletter),
        "reached": subscribers.reached(newsletter),
    }


def framing(response: Response) -> Response:
    """Let the page show the preview in a frame."""
    response.headers["Content-Security-Policy"] = CSP + "; frame-src 'self'"
    return response


@bp.post("/newsletters/<int:number>/edit")
@requires(Permission.NEWSLETTERS_MANAGE)
def update(number: int) -> ResponseReturnValue:
    """Keep the text of one language; a script that saves while one types gets the time of saving."""
    form = TextForm()
    quietly = request.headers.get("X-Requested-With") == "fetch"
    newsletter = find(number)
    locale = _locale(newsletter)
    if not form.validate_on_submit():
        return (jsonify(errors=form.errors), 422) if quietly else _editor(newsletter, locale, form, 422)
    with transaction():
        newsletter = find(number)
        drafts.write(
            newsletter,
            locale,
            subject=form.subject.data or "",
            preheader=form.preheader.data or "",
            body=form.body.data or "",
            plain=form.plain.data if form.has_plain.data else None,
            subject_b=form.subject_b.data,
        )
        linkcheck.ask(newsletter)
    if quietly:
        return jsonify(saved=_("Saved at %(time)s.", time=i18n.format_time(clock.now())))
    return redirect(url_for(".edit", number=number, language=locale), 303)


@bp.get("/newsletters/<int:number>/audience")
@requires(Permission.NEWSLETTERS_MANAGE)
def aim(number: int) -> ResponseReturnValue:
    """Whom it is for, with how many that are and some of them."""
    newsletter = find(number)
    if not newsletter.is_editable or newsletter.is_step:
        return redirect(url_for(".show", number=number), 303)
    form = AudienceForm(
        topic=newsletter.topic.value,
        shown=newsletter.shown.value,
        to_subscribers=newsletter.to_subscribers,
        tracks_clicks=newsletter.tracks_clicks,
        tracks_opens=newsletter.tracks_opens,
        ab_share=str(newsletter.ab_share or ""),
        ab_hours=newsletter.ab_hours or 4,
    )
    return _audience(newsletter, form, newsletter.audience)


def _audience(
    newsletter: Newsletter, form: AudienceForm, rule: audience.Rule, status: int = 200
) -> ResponseReturnValue:
    topic = Topic(form.topic.data) if form.topic.data in set(Topic) else newsletter.topic
    return render_template(
        "newsletters/audience.html", newsletter=newsletter, form=form, **rows_of(rule), **reach(rule, topic)
    ), status


@bp.post("/newsletters/<int:number>/audience")
@requires(Permission.NEWSLETTERS_MANAGE)
def save_audience(number: int) -> ResponseReturnValue:
    """Keep whom it is for."""
    form, rule = AudienceForm(), rule_from(request.form)
    if not form.validate_on_submit():
        return _audience(find(number), form, rule, 422)
    with transaction():
        newsletter = find(number)
        drafts.aim(newsletter, rule, Topic(form.topic.data), Shown(form.shown.data))
        drafts.offer(newsletter, form.to_subscribers.data)
        share = int(form.ab_share.data) if form.ab_share.data else None
        drafts.try_subjects(newsletter, share, form.ab_hours.data or 1)
        drafts.track(newsletter, clicks=form.tracks_clicks.data, opens=form.tracks_opens.data)
    return redirect(url_for(".edit", number=number), 303)


@bp.post("/newsletters/<int:number>/clone")
@requires(Permission.NEWSLETTERS_MANAGE)
def clone(number: int) -> ResponseReturnValue:
    """A new draft from this one."""
    with transaction():
        copy = drafts.clone(find(number), current_user)
    return redirect(url_for(".edit", number=copy.id), 303)


@bp.post("/newsletters/<int:number>/again")
@requires(Permission.NEWSLETTERS_MANAGE)
def again(number: int) -> ResponseReturnValue:
    """A new draft for those who did not open it, or followed no link."""
    with transaction():
        copy = drafts.again(find(number), current_user)
    return redirect(url_for(".edit", number=copy.id), 303)


@bp.post("/newsletters/<int:number>/template")
@requires(Permission.NEWSLETTERS_MANAGE)
def keep(number: int) -> ResponseReturnValue:
    """Keep a copy to begin others with."""
    with transaction():
        drafts.keep_as_template(find(number), current_user)
    flash(_("Kept among the ready texts."))
    return redirect(url_for(".new"), 303)


@bp.post("/newsletters/<int:number>/discard")
@requires(Permission.NEWSLETTERS_MANAGE)
def discard(number: int) -> ResponseReturnValue:
    """Throw a draft away."""
    with transaction():
        drafts.discard(find(number), current_user)
    return redirect(url_for(".index"), 303)
