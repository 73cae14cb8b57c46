"""Where a mail provider reports what became of our mails."""

from flask import request
from flask.typing import ResponseReturnValue

from ...core.access import public
from ...core.database import transaction
from ...core.errors import Forbidden
from ...core.extensions import csrf
from ...core.settings import settings
from .. import events
from . import bp

SIGNATURE, TIMESTAMP = (f"X-Twilio-Email-Event-Webhook-{name}" for name in ("Signature", "Timestamp"))


@bp.post("/newsletters/events/sendgrid")
@csrf.exempt  # a program posts here; its signature over the raw body is the proof
@public
def sendgrid_events() -> ResponseReturnValue:
    """Take SendGrid's events; anything that it has not signed is refused."""
    body, key = request.get_data(), settings.sendgrid_webhook_key
    signature, timestamp = request.headers.get(SIGNATURE, ""), request.headers.get(TIMESTAMP, "")
    if not key or not events.is_genuine(key, signature, timestamp, body):
        raise Forbidden
    found = events.parse(body)
    if found is None:
        raise Forbidden
    with transaction():
        events.take(found)
    return "", 204
