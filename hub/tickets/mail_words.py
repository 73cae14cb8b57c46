"""What became of a mail, and why, in words for the team."""

from ..core.i18n import Text, _, _l
from .models_mail import InboundMail, Outcome

OUTCOMES: dict[Outcome, Text] = {
    Outcome.WAITING: _l("Being read"),
    Outcome.CREATED: _l("Opened a ticket"),
    Outcome.JOINED: _l("Joined a ticket"),
    Outcome.STORED: _l("Written by a program"),
    Outcome.PARKED: _l("Parked"),
}
TONES = {Outcome.PARKED: "warn", Outcome.CREATED: "accent", Outcome.JOINED: "accent"}

REASONS: dict[str, Text] = {
    "NoPartner": _l("The sender belongs to no partner organisation."),
    "TooManyMessages": _l("Too many messages of this person within a minute."),
    "auto_reply": _l("An automatic reply. It changes nothing."),
    "bounce": _l("A report that a mail was not delivered."),
    "bulk": _l("Mail to a list, or from an address nobody answers."),
    "by_hand": _l("Opened by a person of the team."),
    "conflict": _l("It came twice at the same moment in different forms."),
    "disabled": _l("The sender’s account is disabled."),
    "empty": _l("There is nothing in it."),
    "encrypted": _l("It is encrypted, and the hub has no key."),
    "follow_up": _l("It answered a ticket that is over, so a new one follows."),
    "foreign_thread": _l("It answered another partner’s ticket, so it opened one of its own."),
    "forged": _l("The sender’s server says that this mail is not from it."),
    "from_team": _l("It names a colleague as its sender. The team answers in the hub."),
    "no_file_kept": _l("It has no words, and none of its files can be accepted."),
    "no_headers": _l("It is not a mail."),
    "no_partner": _l("The sender belongs to no partner organisation."),
    "no_sender": _l("It does not say who sent it."),
    "number_only": _l("Its subject names a ticket, but nothing proves that it belongs there."),
    "other_address": _l("It came from another address, as an answer to this person’s copy."),
    "own_mail": _l("Our own mail has come back."),
    "poison": _l("Reading it has stopped the hub several times, so it is not read any more."),
    "receipt": _l("A receipt. It changes nothing."),
    "repeats": _l("The same words again and again: a program writes them."),
    "several_senders": _l("It names several senders."),
    "too_deep": _l("It is nested without end."),
    "too_large": _l("It is larger than what the hub reads."),
    "too_many_from_address": _l("Too many mails in an hour from this address."),
    "too_many_in_thread": _l("Too many mails in an hour for this ticket."),
    "unknown_sender": _l("Nobody in the hub has this address."),
}


def reason(mail: InboundMail) -> str:
    """Why it became what it is; nothing where that goes without saying."""
    if not mail.reason:
        return ""
    return str(REASONS.get(mail.reason) or _("It could not be read (%(what)s).", what=mail.reason))
