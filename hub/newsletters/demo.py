"""A year of newsletters for the demo: six sent, one being written."""

import random
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from ..accounts.demo import Cast
from ..accounts.models import User
from ..core import clock
from ..core.database import db
from ..partners.models import Membership, Partner, PartnerStatus
from . import consent, content, drafts, moving, sequences, starting, subscribers, trial, triggers
from .audience import Recipient
from .demo_texts import SECOND, SENT
from .models import Delivery, DeliveryState, Newsletter, Shown, Status, SuppressionReason, Topic
from .models_sequences import Sequence, SequenceEntry, Trigger
from .models_tracking import Link, LinkClick

CONTENT = Path(__file__).parents[2] / "content" / "newsletters"
GONE = "550 5.1.1 The mailbox does not exist"
SILENT = "no answer after the message: timed out"

#: (days ago, address, topics, language)
SUBSCRIBERS = (
    (140, "redaktor@maly-biznes.example", [Topic.PRODUCT, Topic.TRAINING], "pl"),
    (66, "olga.blog@pochta.example", [Topic.PRODUCT], "ru"),
    (23, "news@ledgerweekly.example", [Topic.PRODUCT, Topic.MATERIALS, Topic.TRAINING], "en"),
    (4, "taras@oblik.example", [Topic.TRAINING], "uk"),
)


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
    for days, address, topics, locale in SUBSCRIBERS:
        with cast.at(days=days):
            subscribers.confirm((address, topics, locale))
    if CONTENT.is_dir():  # an installation without the source tree has none
        with cast.at(days=350):
            content.sync(CONTENT)
            _welcome(cast, rng)
    with cast.at(days=1):
        if draft := content.template("monthly-update"):
            drafts.clone(draft, cast.anna)


def _welcome(cast: Cast, rng: random.Random) -> None:
    """Three mails for each new partner, of whom a few have come since; the ledger as the days would have left it."""
    sequence = sequences.create(cast.anna, "Welcome", Trigger.APPROVED, Topic.SERVICE)
    sequences.edit(sequence, tracks_clicks=True)
    for number, days in enumerate((0, 4, 25), 1):
        text = content.template(f"welcome-{number}")
        texts = drafts.texts(text) if text else []
        sequences.add_step(sequence, cast.anna, days=days, hour=9, contents=texts)
    sequences.switch_on(sequence, cast.anna)
    joined = select(User, Partner).join(Membership, Membership.user_id == User.id)
    joined = joined.join(Partner, Partner.id == Membership.partner_id).where(Partner.joined_at > clock.now())
    met: set[int] = set()
    for user, partner in db.session.execute(joined.order_by(Partner.joined_at, Membership.id)):
        if partner.status is PartnerStatus.ACTIVE and user.id not in met:
            met.add(user.id)
            _led(sequence, Recipient(user, partner), cast.now, rng)


def _led(sequence: Sequence, reader: Recipient, until: datetime, rng: random.Random) -> None:
    """One person's way through it up to today."""
    at, user = reader.partner.joined_at, reader.user
    entry = SequenceEntry(
        sequence_id=sequence.id,
        user_id=user.id,
        partner_id=reader.partner.id,
        occasion=triggers.ONCE,
        entered_at=at,
        next_at=at,
    )
    db.session.add(entry)
    for step in sequence.steps:
        entry.next_at = at = moving.turn(at, step, user.time_zone)
        if at > until:
            return
        db.session.flush()
        row = starting.left_out(step, reader, "") | {"reason": None, "entry": entry.id, "attempts": 1}
        sent = {"state": DeliveryState.SENT, "claimed_at": at, "sent_at": at, "next_at": at, "created_at": at}
        clicked = at + timedelta(minutes=rng.randrange(5, 900)) if rng.random() < 0.4 else None
        db.session.add(Delivery(**(row | sent), clicked_at=clicked))
        entry.position = (step.position or 0) + 1
    entry.left_at, entry.reason = at, moving.DONE


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
