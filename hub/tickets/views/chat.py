"""The chat window: on every page of a partner's, and a page of its own where there are no scripts."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.errors import HubError
from ...core.frame import from_script
from .. import availability, chatting
from ..forms import ChatForm
from .shared import bp, conversation, ticket_or_404


@bp.get("/tickets/chat")
@requires(Permission.TICKETS_OPEN)
def chat() -> ResponseReturnValue:
    """The chat that goes on, or a field for a question and when it will be answered."""
    going_on = None if "new" in request.args else chatting.chat_of(current_user)
    if going_on is None:
        return _ask(ChatForm())
    number = going_on.number
    assert number is not None
    if not from_script():
        return redirect(url_for(".show", number=number))
    return _window(number)


@bp.post("/tickets/chat")
@requires(Permission.TICKETS_OPEN)
def begin_chat() -> ResponseReturnValue:
    """Open a ticket from the chat window."""
    form = ChatForm()
    if not form.validate_on_submit():
        return _ask(form), 422
    try:
        with transaction():
            ticket = chatting.begin_chat(current_user, form.body.data or "", client_id=form.client_id.data)
    except HubError as error:
        form.blame(error)
        return _ask(form), error.status
    assert ticket.number is not None
    if not from_script():
        return redirect(url_for(".show", number=ticket.number), 303)
    return _window(ticket.number)


def _ask(form: ChatForm) -> str:
    page = "tickets/_chat_ask.html" if from_script() else "tickets/chat.html"
    return render_template(page, form=form, available=availability.now())


def _window(number: int) -> str:
    return render_template("tickets/_chat.html", dense=True, **conversation(ticket_or_404(number)))
