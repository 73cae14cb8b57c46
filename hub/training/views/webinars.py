"""Webinars: what comes, what was, one of them, and planning them."""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import clock, markup
from ...core.access import Permission, can, requires, visible, visible_or_404
from ...core.database import db, transaction
from ...core.errors import Invalid
from ...core.i18n import LOCALES, _, speaking, zone
from ...core.links import absolute
from ...core.paging import page
from ...core.settings import settings
from ...kb.service import link_of
from .. import courses as learning
from .. import ics, questions, service
from ..forms import QuestionForm, WebinarForm
from ..models import RegistrationStatus, Webinar, WebinarStatus
from .blueprint import bp

COMING = 12


@bp.get("/")
@requires(Permission.TRAINING_ATTEND)
def index() -> ResponseReturnValue:
    """Show what comes, what was recorded, and the courses."""
    if can(current_user, Permission.TRAINING_MANAGE):
        return redirect(url_for(".manage"))
    recordings = visible(select(Webinar), current_user).where(
        Webinar.status == WebinarStatus.DONE, Webinar.recording_url != ""
    )
    return render_template(
        "training/index.html",
        coming=service.coming(current_user, COMING),
        recordings=page(recordings, request.args.get("at"), Webinar.starts_at, Webinar.id, size=8),
        courses=learning.shelf(current_user),
        certificates=learning.earned_before(current_user),
        languages=LOCALES,
    )


@bp.get("/manage")
@requires(Permission.TRAINING_MANAGE)
def manage() -> ResponseReturnValue:
    """List webinars with their registrations, for those who plan them."""
    past = request.args.get("show") == "past"
    over = Webinar.status != WebinarStatus.SCHEDULED
    statement = visible(select(Webinar), current_user).where(over if past else ~over)
    rows = page(statement, request.args.get("at"), Webinar.starts_at, Webinar.id, descending=past)
    ids = [webinar.id for webinar in rows]
    seats = {each.webinar.id: each for each in service.seen_by(_with_ids(ids))}
    return render_template(
        "training/manage.html",
        page=rows,
        seats=seats,
        past=past,
        languages=LOCALES,
    )


def _with_ids(ids: list[int]) -> Any:
    return service.with_seats(current_user).where(Webinar.id.in_(ids))


@bp.get("/webinars/<int:id>")
@requires(Permission.TRAINING_ATTEND)
def show(id: int) -> ResponseReturnValue:
    """Show one webinar."""
    return show_page(one(id), QuestionForm())


def one(id: int) -> Webinar:
    return visible_or_404(select(Webinar).where(Webinar.id == id), current_user)


def show_page(webinar: Webinar, form: QuestionForm, status: int = 200) -> ResponseReturnValue:
    registration = service.registration_of(webinar, current_user)
    taken = service.seats_taken(webinar)
    asked = questions.of(webinar)
    waits = registration is not None and registration.is_waiting
    return (
        render_template(
            "training/webinar.html",
            webinar=webinar,
            description=markup.article(webinar.description, links=link_of).html,
            registration=registration,
            place=service.place_in_line(registration) if registration and waits else None,
            taken=taken,
            left=max(0, webinar.capacity - taken),
            elsewhere=clock_of(webinar),
            countdown=countdown(webinar),
            language=LOCALES.get(webinar.language, webinar.language),
            questions=asked,
            wanted=questions.wanted_by(current_user, asked),
            afterwards=service.afterwards(webinar, current_user) if webinar.is_over else [],
            may_manage=can(current_user, Permission.TRAINING_MANAGE),
            form=form,
        ),
        status,
    )


def clock_of(webinar: Webinar) -> dict[str, Any] | None:
    """The time where the webinar is held, when the reader's clock shows another one."""
    there, here = webinar.starts_at.astimezone(ZoneInfo(webinar.zone)), webinar.starts_at.astimezone(zone())
    if there.utcoffset() == here.utcoffset():
        return None
    return {
        "time": there.time(),
        "zone": webinar.zone,
        "day": there.date() if there.date() != here.date() else None,
    }


def countdown(webinar: Webinar) -> dict[str, int] | None:
    """Days, hours and minutes until the beginning; None once it has begun."""
    minutes = int((webinar.starts_at - clock.now()).total_seconds() // 60)
    if minutes < 0 or not webinar.is_open:
        return None
    return {"days": minutes // 1440, "hours": minutes // 60 % 24, "minutes": minutes % 60}


@bp.post("/webinars/<int:id>/register")
@requires(Permission.TRAINING_ATTEND)
def register(id: int) -> ResponseReturnValue:
    """Take a seat, or wait for one."""
    with transaction():
        registration = service.register(one(id), current_user)
    if registration.status is RegistrationStatus.WAITLISTED:
        flash(_("You are on the waiting list. We will write as soon as a seat is free."))
    else:
        flash(_("You are registered. We will remind you."))
    return redirect(url_for(".show", id=id), 303)


@bp.post("/webinars/<int:id>/unregister")
@requires(Permission.TRAINING_ATTEND)
def unregister(id: int) -> ResponseReturnValue:
    """Give the seat up."""
    with transaction():
        service.unregister(one(id), current_user)
    flash(_("You are no longer registered."))
    return redirect(url_for(".show", id=id), 303)


@bp.get("/webinars/<int:id>/calendar.ics")
@requires(Permission.TRAINING_ATTEND)
def calendar(id: int) -> ResponseReturnValue:
    """The webinar as a calendar file."""
    webinar = one(id)
    host = urlsplit(settings.base_url).hostname or "localhost"
    with speaking(webinar.language, webinar.zone):
        content = ics.calendar(
            webinar,
            url=absolute("training.show", id=id),
            host=host,
            has_seat=service.is_registered(webinar, current_user),
        )
    headers = {
        "Content-Disposition": f"attachment; filename=webinar-{id}.ics",
        "Cache-Control": "private, no-store",
    }
    return Response(content, content_type="text/calendar; charset=utf-8; method=PUBLISH", headers=headers)


# --- Planning --------------------------------------------------------------


@bp.get("/webinars/new")
@requires(Permission.TRAINING_MANAGE)
def new() -> ResponseReturnValue:
    """Ask what the webinar will be."""
    form = WebinarForm(zone=settings.programme_timezone, language=current_user.locale, host=current_user.name)
    return render_template("training/edit.html", form=form, webinar=None)


@bp.post("/webinars")
@requires(Permission.TRAINING_MANAGE)
def create() -> ResponseReturnValue:
    """Announce a webinar."""
    form = WebinarForm()
    if form.validate_on_submit():
        try:
            with transaction():
                webinar = service.plan(current_user, **form.values())
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("The webinar is announced."))
            return redirect(url_for(".show", id=webinar.id), 303)
    return render_template("training/edit.html", form=form, webinar=None), 422


@bp.get("/webinars/<int:id>/edit")
@requires(Permission.TRAINING_MANAGE)
def edit(id: int) -> ResponseReturnValue:
    """Show a webinar as a form, its time on its own clock."""
    webinar = one(id)
    local = webinar.starts_at.astimezone(ZoneInfo(webinar.zone)).replace(tzinfo=None)
    links = "\n".join(f"{link['title']} {link['url']}" for link in webinar.links)
    form = WebinarForm(obj=webinar, data={"starts_at": local, "links": links})
    form.starts_at.data, form.links.data = local, links
    return render_template("training/edit.html", form=form, webinar=webinar)


@bp.post("/webinars/<int:id>/edit")
@requires(Permission.TRAINING_MANAGE)
def update(id: int) -> ResponseReturnValue:
    """Change a webinar."""
    form, webinar = WebinarForm(), one(id)
    if form.validate_on_submit():
        try:
            with transaction():
                service.change(webinar, current_user, **form.values())
        except Invalid as error:
            form.blame(error)
        else:
            flash(_("Saved. Those who are registered hear of a new time."))
            return redirect(url_for(".show", id=id), 303)
    return render_template("training/edit.html", form=form, webinar=db.session.get(Webinar, id)), 422


@bp.post("/webinars/<int:id>/call-off")
@requires(Permission.TRAINING_MANAGE)
def call_off(id: int) -> ResponseReturnValue:
    """Cancel a webinar."""
    try:
        with transaction():
            service.call_off(one(id), current_user)
    except service.AlreadyHappened as error:
        flash(str(error.message), "bad")
    else:
        flash(_("The webinar is cancelled. Everyone who was registered has been told."))
    return redirect(url_for(".show", id=id), 303)
