"""Conversations for programs: open, answer, read and catch up, with a bearer token."""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ..core import storage
from ..core.access import Permission, requires, signed_in, visible_or_404
from ..core.database import transaction
from ..core.errors import Invalid
from ..core.i18n import _l
from . import asked, fields, news, service
from .catching_up import since
from .models import Attachment, Category, Channel, Ticket

bp = Blueprint("tickets_api", __name__, url_prefix="/api/v1/tickets")


class NoSubject(Invalid):
    message = _l("Say in one sentence what this is about: `subject`.")


@bp.post("")
@requires(Permission.TICKETS_OPEN)
def create() -> ResponseReturnValue:
    """Open a ticket: `{subject, body, client_id}`, if wanted `category` and `fields`. The same `client_id` opens no twin."""
    sent = _json()
    subject, category = asked.text(sent, "subject"), asked.text(sent, "category")
    if not subject.strip():
        raise NoSubject
    with transaction():
        ticket = service.open_ticket(
            current_user,
            subject,
            asked.text(sent, "body"),
            client_id=asked.client_id(sent),
            category=Category(category) if category in list(Category) else Category.OTHER,
            channel=Channel.API,
            typed=asked.fields(sent, [each.id for each in fields.offered(current_user)]),
        )
    return jsonify(number=ticket.number, seq=1, subject=ticket.subject, state=news.state(ticket)), 201


@bp.post("/<int:number>/messages")
@signed_in
def say(number: int) -> ResponseReturnValue:
    """Answer in public: `{body, client_id, seen}`; the message as it is kept."""
    ticket, sent = _ticket(number), _json()
    with transaction():
        message = service.reply(
            ticket,
            current_user,
            asked.text(sent, "body"),
            seen=asked.number(sent, "seen"),
            client_id=asked.client_id(sent),
            channel=Channel.API,
        )
    return jsonify(news.as_json(message)), 201


@bp.get("/fields")
@signed_in
def known_fields() -> ResponseReturnValue:
    """The programme's own fields that the person may fill in, each with its id and what may stand in it."""
    return jsonify(fields=[fields.described(each) for each in fields.offered(current_user)])


@bp.get("/<int:number>/messages")
@signed_in
def messages(number: int) -> ResponseReturnValue:
    """What is newer than `after`, oldest first, at most 200: `more` says to ask again after the last one."""
    after, event = (request.args.get(name, 0, type=int) for name in ("after", "event"))
    ticket = _ticket(number)
    filled = [fields.as_json(each) for each in fields.of(ticket, current_user)]
    return jsonify(since(ticket, current_user, after=after, event=event) | {"fields": filled})


@bp.get("/<int:number>/files/<int:id>")
@signed_in
def file(number: int, id: int) -> ResponseReturnValue:
    """An attached file, to whoever may see its message."""
    wanted = select(Attachment).where(Attachment.id == id)
    wanted = wanted.where(Attachment.message.has(ticket_id=_ticket(number).id))
    attachment = visible_or_404(wanted, current_user)
    return storage.send(attachment.key, filename=attachment.name, mimetype=attachment.mime)


def _ticket(number: int) -> Ticket:
    return visible_or_404(select(Ticket).where(Ticket.number == number), current_user)


def _json() -> dict[str, Any]:
    sent = request.get_json(silent=True)
    return sent if isinstance(sent, dict) else {}
