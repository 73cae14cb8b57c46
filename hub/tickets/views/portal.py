"""A partner's own tickets, and what both sides do in a thread."""

from collections.abc import Mapping
from typing import Any

from flask import Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...core import storage
from ...core.access import Permission, can, requires, signed_in, visible, visible_or_404
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid, NotFound
from ...core.i18n import Text
from ...core.paging import page
from ...earnings import explaining
from ...earnings.models import LedgerEntry
from ...kb.models import Translation
from ...partners.service import partner_of
from .. import availability, deflecting, fields, finding, inbox, service
from ..field_values import offers
from ..forms import STATUSES_FOR_PARTNER, TONES_FOR_PARTNER, MessageForm, StatusForm, TicketForm
from ..models import ONGOING, Attachment, Category, Macro, Message, Status, Ticket, Turn, Visibility
from .shared import bp, list_asked, missed, received, thread_page, ticket_or_404

FILTERS = {"open": ONGOING, "settled": (Turn.DONE,)}


@bp.get("/tickets")
@signed_in
def index() -> ResponseReturnValue:
    """A partner's tickets; the team has its inbox."""
    if can(current_user, Permission.TICKETS_WORK):
        wanted: dict[str, Any] = (
            {"partner": request.args["q"], "view": inbox.View.ALL} if "q" in request.args else {}
        )
        return redirect(url_for(".inbox", **wanted))
    chosen = request.args.get("state", "")
    statement = visible(select(Ticket), current_user).options(
        joinedload(Ticket.requester), joinedload(Ticket.assignee)
    )
    text = request.args.get("q", "").strip()[:100]
    if text:
        statement = statement.where(Ticket.id.in_(finding.own(current_user, text)))
    if chosen in FILTERS:
        statement = statement.where(Ticket.turn.in_(FILTERS[chosen]))
    tickets = page(statement, request.args.get("cursor"), Ticket.updated_at, Ticket.id)
    return render_template(
        "tickets/index.html",
        tickets=tickets,
        chosen=chosen,
        text=text,
        labels=STATUSES_FOR_PARTNER,
        tones=TONES_FOR_PARTNER,
        answer_by=_answer_by(),
    )


def _answer_by() -> str:
    """By when a question asked now is answered, in words."""
    partner = partner_of(current_user)
    return availability.answer_by(partner.tier.key if partner and partner.tier else None)


@bp.get("/tickets/new")
@requires(Permission.TICKETS_OPEN)
def new() -> ResponseReturnValue:
    """The form; whoever leads here may bring a subject, a category and the beginning of the text along.

    A search that found nothing does, and a line of the ledger that is questioned.
    """
    asked = request.args
    entry, article = _about(asked.get("entry", type=int), asked.get("article", type=int))
    category = asked.get("category") if asked.get("category") in list(Category) else Category.OTHER
    form = TicketForm(
        subject=asked.get("subject", "")[:200],
        body=asked.get("body", "")[:2000],
        category=category,
        entry=entry and entry.id,
        article=article and article.id,
    )
    return _new(form, entry, article)


@bp.post("/tickets")
@requires(Permission.TICKETS_OPEN)
def create() -> ResponseReturnValue:
    """Open a ticket from the form."""
    form = TicketForm()
    entry, article = _about(form.entry.data, form.article.data)
    if not form.validate_on_submit():
        return _new(form, entry, article), 422
    try:
        with received(form.files.data) as files, transaction():
            ticket = service.open_ticket(
                current_user,
                form.subject.data,
                form.body.data,
                client_id=form.client_id.data,
                category=form.category.data,
                files=files,
                entry=entry,
                article=article,
                typed=fields.typed(request.form),
            )
    except HubError as error:
        form.blame(error)
        wrong = error.errors if isinstance(error, Invalid) else {}
        return _new(form, entry, article, wrong=wrong), error.status
    return redirect(url_for(".show", number=ticket.number), 303)


def _about(entry_id: int | None, translation_id: int | None) -> tuple[LedgerEntry | None, Translation | None]:
    """The amount and the article a question is about; NotFound for what the person may not see."""
    entry = article = None
    if entry_id is not None:
        entry = visible_or_404(select(LedgerEntry).where(LedgerEntry.id == entry_id), current_user)
    if translation_id is not None:
        article = visible_or_404(select(Translation).where(Translation.id == translation_id), current_user)
    return entry, article


def _new(
    form: TicketForm,
    entry: LedgerEntry | None,
    article: Translation | None,
    wrong: Mapping[str, list[Text]] | None = None,
) -> str:
    typed = fields.typed(request.form)
    return render_template(
        "tickets/new.html",
        form=form,
        article=article,
        line=entry and explaining.title(entry),
        entry=entry,
        answer_by=_answer_by(),
        fitting=deflecting.fitting(current_user, form.subject.data or ""),
        fields=[(each, offers(each), typed.get(each.id, "")) for each in fields.offered(current_user)],
        wrong=wrong or {},
    )


@bp.get("/tickets/<int:number>")
@signed_in
def show(number: int) -> ResponseReturnValue:
    """A partner's view of one of their tickets."""
    if can(current_user, Permission.TICKETS_WORK):
        return redirect(url_for(".inbox_show", number=number, **list_asked()))
    ticket = ticket_or_404(number)
    if ticket.merged_into_id is not None:
        return redirect(url_for(".show", number=service.final(ticket).number))
    return thread_page(ticket)


@bp.get("/tickets/<int:number>/messages")
@signed_in
def messages(number: int) -> ResponseReturnValue:
    """What is new in a thread past `after` and `event`, as a part of the page."""
    ticket = ticket_or_404(number)
    after, event = (request.args.get(name, 0, type=int) for name in ("after", "event"))
    return render_template("tickets/_items.html", **missed(ticket, after=after, event=event))


@bp.post("/tickets/<int:number>/reply")
@signed_in
def reply(number: int) -> ResponseReturnValue:
    """Answer in public."""
    return _say(number, Visibility.PUBLIC)


@bp.post("/tickets/<int:number>/note")
@requires(Permission.TICKETS_WORK)
def note(number: int) -> ResponseReturnValue:
    """Leave a note that only the team sees."""
    return _say(number, Visibility.INTERNAL)


@bp.post("/tickets/<int:number>/messages/<int:seq>")
@signed_in
def edit(number: int, seq: int) -> ResponseReturnValue:
    """Give one's own message other words, within the first minutes."""
    ticket = ticket_or_404(number)
    wanted = select(Message).where(Message.ticket_id == ticket.id, Message.seq == seq)
    message = visible_or_404(wanted, current_user)
    try:
        with transaction():
            service.edit(message, current_user, request.form.get("body", ""))
    except HubError as error:
        return _refused(ticket, str(error.message), error.status)
    if _from_script():
        return jsonify(seq=seq)
    return redirect(url_for(".show", number=number, _anchor=f"m{seq}"), 303)


@bp.post("/tickets/<int:number>/draft/<any(public, internal):visibility>")
@signed_in
def draft(number: int, visibility: str) -> ResponseReturnValue:
    """Keep what is being written."""
    ticket, kind = ticket_or_404(number), Visibility(visibility)
    if kind is Visibility.INTERNAL and not can(current_user, Permission.TICKETS_WORK):
        raise NotFound  # notes are the team's
    with transaction():
        service.save_draft(ticket, current_user, kind, request.form.get("body", ""))
    return Response(status=204)


@bp.post("/tickets/<int:number>/status")
@signed_in
def status(number: int) -> ResponseReturnValue:
    """Resolve, reopen, close."""
    ticket, form = ticket_or_404(number), StatusForm()
    if not form.validate_on_submit():
        abort(422)
    try:
        with transaction():
            service.set_status(ticket, current_user, Status(form.status.data))
    except fields.FieldsMissing as error:
        flash(str(error.message), "bad")
    return redirect(url_for(".show", number=number, **list_asked()), 303)


@bp.get("/tickets/<int:number>/files/<int:id>")
@signed_in
def file(number: int, id: int) -> ResponseReturnValue:
    """An attached file, to whoever may see its message."""
    ticket = ticket_or_404(number)
    wanted = select(Attachment).where(Attachment.id == id, Attachment.message.has(ticket_id=ticket.id))
    attachment = visible_or_404(wanted, current_user)
    return storage.send(
        attachment.key, filename=attachment.name, mimetype=attachment.mime, inline=attachment.is_image
    )


def _say(number: int, visibility: Visibility) -> ResponseReturnValue:
    form = MessageForm()
    try:
        if not form.validate_on_submit():
            return _refused(ticket_or_404(number), _first_error(form), 422)
        with received(form.files.data) as files, transaction():
            ticket = service.locked(current_user, number)
            words: dict[str, Any] = {"client_id": form.client_id.data, "files": files}
            if visibility is Visibility.INTERNAL:
                message = service.note(ticket, current_user, form.body.data or "", **words)
            else:
                words |= {"seen": form.seen.data or 0, "macro": _macro(form.macro.data)}
                message = service.reply(ticket, current_user, form.body.data or "", **words)
    except HubError as error:
        return _refused(ticket_or_404(number), str(error.message), error.status)
    if _from_script():
        return jsonify(seq=message.seq, **_elsewhere(message, number))
    return redirect(url_for(".show", number=message.ticket.number, _anchor=f"m{message.seq}"), 303)


def _elsewhere(message: Message, number: int) -> dict[str, Any]:
    """Where the conversation goes on, if not in the ticket that was answered."""
    if message.ticket.number == number:
        return {}
    return {"url": url_for(".show", number=message.ticket.number)}


def _macro(id: int | None) -> Macro | None:
    """The prepared answer that a text came from, if the person may use it."""
    return db.session.scalar(visible(select(Macro).where(Macro.id == id), current_user)) if id else None


def _first_error(form: MessageForm) -> str:
    return str(next(iter(next(iter(form.errors.values())))))


def _refused(ticket: Ticket, reason: str, status: int) -> ResponseReturnValue:
    """The same page with the reason and what was written; a script gets the reason alone."""
    if _from_script():
        return jsonify(error=reason), status
    return thread_page(ticket, refused=reason, written=request.form.get("body", "")), status


def _from_script() -> bool:
    return request.accept_mimetypes.best == "application/json"
