"""Mails as they came, for the team: those that wait for a decision, and all others."""

import base64
import io
import secrets
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import FileStorage

from ...core import storage, uploads
from ...core.access import Permission, public, requires, visible, visible_or_404
from ...core.database import transaction
from ...core.errors import HubError, Invalid, NotFound
from ...core.extensions import csrf
from ...core.i18n import _
from ...core.jobs import ring
from ...core.mail import receive
from ...core.mail.receive import html, posted
from ...core.paging import page
from ...core.settings import settings
from .. import mail_files, mail_in, mail_settling, mail_words
from ..forms import ParkedMailForm
from ..models_mail import Door, InboundMail, Outcome
from .shared import bp

#: Bytes of all pictures that a mail's page may carry inside.
MOST_PICTURES = 10_000_000


@bp.get("/inbox/mails")
@requires(Permission.TICKETS_WORK)
def mails() -> ResponseReturnValue:
    """Mails that wait for a decision; or all, with what became of each."""
    everything = request.args.get("show") == "all"
    statement = visible(select(InboundMail).options(joinedload(InboundMail.ticket)), current_user)
    if not everything:
        statement = parked(statement)
    return render_template(
        "tickets/mails.html",
        mails=page(statement, request.args.get("cursor"), InboundMail.id),
        everything=everything,
        words=mail_words,
    )


@bp.get("/inbox/mails/<int:id>")
@requires(Permission.TICKETS_WORK)
def mail_show(id: int) -> ResponseReturnValue:
    """One mail: its head, its words, its files, and what can be done about it."""
    mail = _mail_or_404(id)
    return _mail_page(mail, ParkedMailForm(email=mail.sender if mail_settling.may_ask(mail.sender) else ""))


@bp.post("/inbox/mails/<int:id>/open")
@requires(Permission.TICKETS_WORK)
def mail_open(id: int) -> ResponseReturnValue:
    """Open a ticket with a parked mail, for a member of a partner."""
    mail, form = _mail_or_404(id), ParkedMailForm()
    if not form.validate_on_submit():
        return _mail_page(mail, form), 422
    received = mail_settling.read(mail)
    kept = mail_files.keep(received)
    try:
        with transaction():
            ticket = mail_settling.open_as_ticket(mail, current_user, form.email.data, received, kept)
    except HubError as error:
        form.blame(error)
        return _mail_page(mail, form), error.status
    return redirect(url_for(".inbox_show", number=ticket.number), 303)


@bp.post("/inbox/mails/<int:id>/dismiss")
@requires(Permission.TICKETS_WORK)
def mail_dismiss(id: int) -> ResponseReturnValue:
    """Leave a parked mail as it is; it no longer waits."""
    mail = _mail_or_404(id)
    with transaction():
        mail_settling.dismiss(mail, current_user)
    flash(_("The mail no longer waits. It stays among all mails."), "ok")
    return redirect(url_for(".mails"), 303)


@bp.get("/inbox/mails/<int:id>/raw")
@requires(Permission.TICKETS_WORK)
def mail_raw(id: int) -> ResponseReturnValue:
    """The mail byte for byte, to be saved."""
    mail = _mail_or_404(id)
    return storage.send(mail.raw_key, filename=f"mail-{mail.id}.eml", mimetype="message/rfc822")


@bp.get("/inbox/mails/<int:id>/page")
@requires(Permission.TICKETS_WORK)
def mail_page(id: int) -> ResponseReturnValue:
    """The mail's own page, in which nothing can act. Pictures from elsewhere come only when asked for."""
    mail = _mail_or_404(id)
    remote = request.args.get("pictures") == "1"
    received = mail_settling.read(mail)
    body = (
        html.sanitise(received.html, _pictures(received, remote))
        if received.html
        else html.from_text(received.text)
    )
    return _bare(render_template("tickets/mail_page.html", subject=mail.subject, body=body), remote)


@bp.post("/hooks/mail/<secret>")
@csrf.exempt  # SendGrid posts here; the secret is the proof
@public
def mail_hook(secret: str) -> ResponseReturnValue:
    """Take a mail from SendGrid's Inbound Parse: keep it, let the worker judge it, say that it is kept."""
    expected = settings.mail_hook_secret
    if not expected or not secrets.compare_digest(secret.encode(), expected.encode()):
        raise NotFound
    request.max_content_length = mail_in.LIMIT
    try:
        raw = posted.raw_mail(request.headers.get("Content-Type", ""), request.get_data(cache=False))
    except posted.NotAPost:
        raise Invalid(_("This is no multipart form with a mail in it.")) from None
    mail_in.keep(raw, Door.HOOK)
    ring("tickets.mail_in")
    return "", 204


def parked(statement: Select[Any]) -> Select[Any]:
    """`statement` of mails narrowed to those that wait for a person."""
    return statement.where(InboundMail.outcome == Outcome.PARKED, InboundMail.settled_at.is_(None))


def _mail_or_404(id: int) -> InboundMail:
    statement = select(InboundMail).where(InboundMail.id == id).options(joinedload(InboundMail.ticket))
    return visible_or_404(statement, current_user)


def _mail_page(mail: InboundMail, form: ParkedMailForm) -> str:
    received = mail_settling.read(mail)
    return render_template(
        "tickets/mail.html",
        mail=mail,
        received=received,
        parts=receive.split(received.text),
        form=form,
        words=mail_words,
    )


def _pictures(received: receive.Received, remote: bool) -> Any:
    """What an image's source becomes: the part of the mail itself, checked as an upload; or nothing."""
    inside = {file.cid: file for file in received.files if file.cid}
    left = [MOST_PICTURES]

    def picture(source: str) -> str | None:
        if source.lower().startswith("cid:"):
            file = inside.get(source[4:])
            return _embedded(file, left) if file else None
        return source if remote and source.lower().startswith(("https://", "http://")) else None

    return picture


def _embedded(file: receive.File, left: list[int]) -> str | None:
    try:
        checked = uploads.examine(
            FileStorage(io.BytesIO(file.content), filename=file.name), limit=max(left[0], 0)
        )
    except HubError:
        return None
    if checked.kind not in (uploads.Kind.IMAGE, uploads.Kind.ANIMATED):
        return None
    left[0] -= checked.size
    return f"data:{checked.mime};base64,{base64.b64encode(checked.stream.read()).decode()}"


def _bare(page: str, remote: bool) -> Response:
    """A page on its own, sandboxed: no scripts, no forms, no address of ours to send anything to."""
    response = make_response(page)
    elsewhere = " https: http:" if remote else ""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src data:{elsewhere}; style-src {request.host_url}static/; "
        "style-src-attr 'unsafe-inline'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, no-store"
    return response
