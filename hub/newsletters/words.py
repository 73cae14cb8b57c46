"""States and reasons in words, with the tone they are shown in."""

from ..core.i18n import Text, _l
from .models import DeliveryState, Hold, Status, SuppressionReason

STATUS_WORDS: dict[Status, tuple[Text, str]] = {
    Status.DRAFT: (_l("Draft"), ""),
    Status.SCHEDULED: (_l("Scheduled"), "accent"),
    Status.SENDING: (_l("Sending"), "accent"),
    Status.PAUSED: (_l("Paused"), "warn"),
    Status.SENT: (_l("Sent"), "ok"),
    Status.CANCELLED: (_l("Cancelled"), ""),
    Status.TEMPLATE: (_l("Template"), ""),
}
DELIVERY_WORDS: dict[DeliveryState, tuple[Text, str]] = {
    DeliveryState.SENT: (_l("sent"), "ok"),
    DeliveryState.PENDING: (_l("waiting"), ""),
    DeliveryState.HELD: (_l("waits for the subject"), ""),
    DeliveryState.CLAIMED: (_l("being sent"), "accent"),
    DeliveryState.FAILED: (_l("not delivered"), "bad"),
    DeliveryState.UNCERTAIN: (_l("uncertain"), "warn"),
    DeliveryState.SUPPRESSED: (_l("left out"), ""),
}
REASONS: dict[str, Text] = {
    SuppressionReason.BOUNCE.value: _l("earlier mails to this address came back"),
    SuppressionReason.COMPLAINT.value: _l("a mail to this address was marked as unwanted"),
    SuppressionReason.UNSUBSCRIBE.value: _l("this address is unsubscribed from everything"),
    SuppressionReason.MANUAL.value: _l("the team has taken this address off"),
    "topic": _l("this address has declined the topic"),
    "gone": _l("the account or the partner is no longer active"),
    "active": _l("somebody of the partner signed in or sold again"),
    "budget": _l("this address has had enough mails this week"),
}
HOLDS: dict[Hold, Text] = {
    Hold.PERSON: _l("Paused by a person."),
    Hold.CREDENTIALS: _l(
        "The mail server does not accept the hub’s sign-in. Correct the settings, then go on."
    ),
    Hold.ERRORS: _l("Too many mails in a row failed. Look at the reasons below before you go on."),
    Hold.MISSED: _l(
        "The planned time passed while the hub was not running. Send it now or choose another time."
    ),
    Hold.INCOMPLETE: _l("At the planned time it was not ready to be sent. The list says what is missing."),
}
