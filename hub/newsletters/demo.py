"""A year of newsletters for the demo: six sent, one being written."""

import random
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from ..accounts.demo import Cast
from ..core import clock
from ..core.database import db
from ..partners.models import Partner
from . import consent, content, drafts, starting, trial
from .demo_texts import SECOND, SENT
from .models import Delivery, DeliveryState, Newsletter, Shown, Status, SuppressionReason, Topic
from .models_tracking import Link, LinkClick

CONTENT = Path(__file__).parents[2] / "content" / "newsletters"
GONE = "550 5.1.1 The mailbox does not exist"
SILENT = "no answer after the message: timed out"


def fill(cast: Cast, rng: random.Random) -> None:
    """Send what was sent to those who were there, and leave next month's update half written."""
    for days, topic, texts in SENT:
        contents = [
            {
                "locale": locale,
                "subject": subject,
                "subject_b": SECOND[locale] if topic is Topic.PRODUCT else "",
                "preheader": preheader,
                "body": body,
            }
            for locale, (subject, preheader, body) in texts.items()
        ]
        morning = (cast.now - timedelta(days=days)).replace(hour=8, minute=rng.randrange(60))
        with clock.frozen(morning):
            newsletter = drafts.create(cast.anna, topic, contents=contents)
            newsletter.shown = Shown.PUBLIC if topic is Topic.PRODUCT else Shown.PARTNERS
            newsletter.tracks_opens = newsletter.tracks_clicks = topic is not Topic.SERVICE
            if topic is Topic.PRODUCT:
                drafts.try_subjects(newsletter, 50, 4)
            _send(newsletter, rng)
    _some_decline(rng)
    if CONTENT.is_dir():  # an installation without the source tree has none
        with cast.at(days=350):
            content.sync(CONTENT)
    with cast.at(days=1):
        if draft := content.template("monthly-update"):
            drafts.clone(draft, cast.anna)


def _send(newsletter: Newsletter, rng: random.Random) -> None:
    """Write the ledger as a sending of that day would have left it."""
    now = clock.now()
    starting.freeze(newsletter)
    joined: dict[int | None, datetime] = dict(
        db.session.execute(select(Partner.id, Partner.joined_at)).tuples().all()
    )
    ledger = select(Delivery).where(Delivery.newsletter_id == newsletter.id).order_by(Delivery.id)
    deliveries = list(db.session.scalars(ledger))
    tried = [each for each in deliveries if each.variant]
    for number, delivery in enumerate(deliveries):
        if joined[delivery.partner_id] > now:
            db.session.delete(delivery)
            continue
        delivery.attempts, delivery.next_at = 1, now
        delivery.variant = delivery.variant or (trial.B if newsletter.ab_share else None)
        delivery.claimed_at = now + timedelta(seconds=number * 0.4)
        luck = rng.random()
        if luck < 0.02:
            delivery.state, delivery.reason = DeliveryState.FAILED, GONE
        elif luck < 0.03:
            delivery.state, delivery.reason = DeliveryState.UNCERTAIN, SILENT
        elif luck < 0.06:
            delivery.state, delivery.reason, delivery.attempts = DeliveryState.SUPPRESSED, "topic", 0
        else:
            delivery.state, delivery.sent_at = (
                DeliveryState.SENT,
                delivery.claimed_at + timedelta(seconds=0.3),
            )
    _follow(newsletter, [each for each in deliveries if each.sent_at], rng)
    if newsletter.ab_share:
        newsletter.ab_winner, newsletter.ab_result = trial.B, _result(tried)
    newsletter.status, newsletter.started_at = Status.SENT, now
    newsletter.finished_at = now + timedelta(seconds=len(deliveries) * 0.4 + 1)
    db.session.flush()


def _result(tried: list[Delivery]) -> dict[str, list[int]]:
    """Both subjects, of which the second was followed at least as well as the first."""
    sent = {
        name: sum(each.variant == name and each.sent_at is not None for each in tried)
        for name in (trial.A, trial.B)
    }
    return {trial.A: [sent[trial.A], sent[trial.A] // 6], trial.B: [sent[trial.B], sent[trial.B] // 6 + 2]}


def _follow(newsletter: Newsletter, sent: list[Delivery], rng: random.Random) -> None:
    """Some open it, fewer follow a link; a few mail programs look before their readers do."""
    links = list(
        db.session.scalars(select(Link).where(Link.newsletter_id == newsletter.id).order_by(Link.id))
    )
    for delivery in sent if links else []:
        sent_at = delivery.sent_at or clock.now()
        luck, later = rng.random(), timedelta(minutes=rng.randrange(5, 2000))
        if luck < 0.2:
            delivery.machine_opened_at = sent_at + timedelta(seconds=3)
        if luck < 0.55:
            delivery.opened_at = sent_at + later
        if luck < 0.3:
            delivery.clicked_at = sent_at + later + timedelta(minutes=1)
            link = rng.choice(links)
            db.session.add(
                LinkClick(link_id=link.id, delivery_id=delivery.id, clicked_at=delivery.clicked_at)
            )


def _some_decline(rng: random.Random) -> None:
    """A few readers want fewer mails, and one address is gone."""
    addresses = sorted(set(db.session.scalars(select(Delivery.address))))
    for address in rng.sample(addresses, min(4, len(addresses))):
        consent.opt_out(address, rng.choice([Topic.MATERIALS, Topic.TRAINING, Topic.PRODUCT]))
    consent.suppress("biuro@dawna-firma.example", SuppressionReason.BOUNCE)
    consent.suppress("info@old-ledger.example", SuppressionReason.MANUAL)
