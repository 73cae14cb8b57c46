"""What becomes of a mail after it was taken: delivered, opened, come back, unwanted.

Reports come late, twice and in any order. So each only adds a moment to its
row; none takes one away, and no state goes back. What an address has done to
earn a suppression suppresses it whenever we hear of it.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from ..core import clock, links
from ..core.database import db
from ..core.mail.receive import Bounce, hears
from . import consent
from .models import Delivery, DeliveryState, SuppressionReason
from .models_events import ProviderEvent

#: A signed report older or younger than this may be somebody's recording.
WINDOW = timedelta(minutes=5)
#: Reports are remembered for as long as the provider might repeat them.
REMEMBERED = timedelta(days=30)
_MESSAGE = "newsletters.message"

#: SendGrid's name → what it says of the row.
_MOMENTS = {
    "delivered": "delivered_at",
    "open": "opened_at",
    "click": "clicked_at",
    "bounce": "bounced_at",
    "dropped": "bounced_at",
    "spamreport": "complained_at",
    "unsubscribe": "unsubscribed_at",
    "group_unsubscribe": "unsubscribed_at",
}
#: Why SendGrid did not even try → why we shall not either.
_DROPPED = {
    "bounced address": SuppressionReason.BOUNCE,
    "invalid": SuppressionReason.BOUNCE,
    "spam reporting address": SuppressionReason.COMPLAINT,
    "unsubscribed address": SuppressionReason.UNSUBSCRIBE,
}


def is_genuine(key: str, signature: str, timestamp: str, body: bytes) -> bool:
    """Did SendGrid sign exactly this body, just now? Never raises, whatever comes."""
    # Imported here: it is large, and only a hub that sends through SendGrid needs it.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        moment = datetime.fromtimestamp(int(timestamp), UTC)
        if abs(clock.now() - moment) > WINDOW:
            return False
        public = load_der_public_key(base64.b64decode(key, validate=True))
        if not isinstance(public, EllipticCurvePublicKey):
            return False
        public.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ECDSA(SHA256()))
    except (
        InvalidSignature,
        UnsupportedAlgorithm,
        binascii.Error,
        ValueError,
        TypeError,
        OverflowError,
        OSError,
    ):
        return False
    return True


def parse(body: bytes) -> list[dict[str, Any]] | None:
    """The events of a request; None if it holds anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    return found


def take(events: Iterable[dict[str, Any]]) -> int:
    """Write down what is new among the events; how many that were. Belongs in a transaction."""
    fresh = {str(each["sg_event_id"])[:200]: each for each in events if each.get("sg_event_id")}
    known = select(ProviderEvent.id).where(ProviderEvent.id.in_(fresh))
    for number in list(db.session.scalars(known)):
        del fresh[number]
    keys = {str(each.get("hub_id", "")) for each in fresh.values()}
    rows = {row.key: row for row in db.session.scalars(select(Delivery).where(Delivery.key.in_(keys)))}
    for number, each in fresh.items():
        db.session.add(ProviderEvent(id=number))
        if delivery := rows.get(str(each.get("hub_id", ""))):
            _apply(delivery, each)
    db.session.flush()
    return len(fresh)


def _apply(delivery: Delivery, event: dict[str, Any]) -> None:
    kind, reason = str(event.get("event", "")), str(event.get("reason") or event.get("response") or "")[:500]
    name = _MOMENTS.get(kind)
    if kind == "open" and event.get("sg_machine_open"):
        name = "machine_opened_at"
    if name:
        note(delivery, name, _moment(event))
    if kind == "dropped":
        settled = (DeliveryState.CLAIMED, DeliveryState.UNCERTAIN, DeliveryState.SENT)
        if delivery.state in settled and delivery.delivered_at is None:
            delivery.state, delivery.reason = DeliveryState.FAILED, reason
        if why := _DROPPED.get(reason.lower()):
            consent.suppress(delivery.address, why)
    elif name:
        _was_taken(delivery)
    if kind == "bounce":
        bounced(delivery, reason, final=event.get("type") != "blocked")
    elif kind == "spamreport":
        consent.suppress(delivery.address, SuppressionReason.COMPLAINT)
    elif kind in ("unsubscribe", "group_unsubscribe"):
        consent.opt_out(delivery.address, delivery.newsletter.topic)


def _was_taken(delivery: Delivery) -> None:
    """Whatever happened to it afterwards, a mail in doubt was sent."""
    if delivery.state in (DeliveryState.CLAIMED, DeliveryState.UNCERTAIN):
        delivery.state, delivery.sent_at, delivery.reason = DeliveryState.SENT, delivery.claimed_at, None


def signed_key(key: str) -> str:
    """What a mail's Message-ID begins with. Links hold the key as well and get about; this stands in its head alone."""
    return links.signed(key, _MESSAGE)


@hears
def reported(name: str, report: Bounce) -> None:
    """A mail server reports on a mail (RFC 3464). Only who had the mail knows its signed key."""
    key = links.unsigned(name, _MESSAGE)
    delivery = db.session.scalar(select(Delivery).where(Delivery.key == key)) if key else None
    if delivery is None:
        return
    _was_taken(delivery)
    if report.arrived:
        note(delivery, "delivered_at", clock.now())
    elif report.is_final:
        # Passed on to a mailbox that is no more, it may have reached the reader in the one we know.
        is_theirs = delivery.address in map(consent.normalise, (report.recipient, report.meant))
        bounced(delivery, report.diagnostic or report.status, final=report.closes_mailbox and is_theirs)


def note(delivery: Delivery, name: str, moment: datetime) -> None:
    """Keep when something first happened."""
    before = getattr(delivery, name)
    if before is None or moment < before:
        setattr(delivery, name, moment)


def bounced(delivery: Delivery, reason: str, *, final: bool) -> None:
    """A mail came back; if for good, its address gets nothing more."""
    note(delivery, "bounced_at", clock.now())
    delivery.reason = delivery.reason or reason[:500]
    if final:
        consent.suppress(delivery.address, SuppressionReason.BOUNCE)


def _moment(event: dict[str, Any]) -> datetime:
    """When it happened; a moment in the future or none at all is now."""
    try:
        return min(datetime.fromtimestamp(int(event["timestamp"]), UTC), clock.now())
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return clock.now()


def forget() -> None:
    """Forget reports that nobody will repeat any more."""
    db.session.execute(delete(ProviderEvent).where(ProviderEvent.seen_at < clock.now() - REMEMBERED))
