"""Why the rules of tickets say no."""

from ..core.errors import HubError
from ..core.i18n import _l


class TicketClosed(HubError):
    message = _l("This ticket is closed. Open a new one and mention its number.")


class UnseenReply(HubError):
    """Someone else of the team answered while this was being written."""

    message = _l("A colleague has answered in the meantime. Read the new message, then send yours again.")


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
