"""Why the rules of tickets say no."""

from ..core.errors import HubError
from ..core.i18n import _, _l


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


class FieldElsewhere(HubError):
    message = _l("This field is not asked for in tickets about this.")


class ClientIdTaken(HubError):
    """The same author used this id for another message: storing neither or both would be wrong."""

    message = _l("This client_id belongs to another message of yours. Take a new one for every message.")


class TooManyMessages(HubError):
    status = 429
    message = _l("That was a lot within a minute. Your text is kept: send it again in a moment.")


class NotToBeChanged(HubError):
    message = _l("A message can be changed by its author, within 15 minutes.")


class AlreadyMerged(HubError):
    message = _l("This ticket has gone into another one, or came back meanwhile. Load the page again.")


class SameTicket(HubError):
    status = 422
    message = _l("A ticket cannot go into itself, nor into one that has gone into it.")


class OtherPartner(HubError):
    status = 422
    message = _l("The tickets belong to different partners: one would read what the other wrote.")


class OtherRequester(HubError):
    message = _l("Different people asked. Both will read everything: confirm that this is right.")


class NothingToSplit(HubError):
    status = 422
    message = _l("Choose some of the messages, but not all.")


class NotLater(HubError):
    status = 422
    message = _l("Choose a moment in the future.")


class UnfilledVariable(HubError):
    """A prepared answer has a place that nothing was known for."""

    status = 422

    def __init__(self, name: str) -> None:
        super().__init__(_("Fill in “%(name)s” first: the answer still has an empty place.", name=name))


class NothingChosen(HubError):
    status = 422
    message = _l("Choose tickets and what to change.")


class AlreadyRated(HubError):
    message = _l("This has been rated already. Thank you.")


class NotToBeRated(HubError):
    message = _l("This question is open again, or was solved long ago: it cannot be rated now.")


class RulesMoved(HubError):
    message = _l("Somebody has changed the promised times meanwhile. Load the page again and compare.")
