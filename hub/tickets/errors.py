"""Why the rules of tickets say no."""

from ..core.errors import HubError
from ..core.i18n import _l


class TicketClosed(HubError):
    message = _l("This ticket is closed. Reopen it to answer; a partner’s late answer opens a new one.")


class UnseenReply(HubError):
    """The thread moved on while this was being written."""

    message = _l("There is something new in this thread. Read it, then send your answer: it is kept.")


class EmptyMessage(HubError):
    status = 422
    message = _l("Write a message or attach a file.")


class MessageTooLong(HubError):
    status = 413
    message = _l("The message is longer than 100,000 characters. Shorten it or attach it as a file.")


class NoPartner(HubError):
    status = 403
    message = _l("You belong to no partner organisation yet. Ask your manager to add you.")


class NotOnTheTeam(HubError):
    status = 422
    message = _l("This person does not work on tickets.")
