"""Newsletters to test with."""

from hub.core import clock
from hub.core.database import db
from hub.newsletters import consent, drafts, sequences, subscribers, tracking
from hub.newsletters.models import (
    Delivery,
    DeliveryState,
    Newsletter,
    Segment,
    Shown,
    Status,
    Suppression,
    Topic,
)
from hub.newsletters.models import SuppressionReason as Reason
from hub.newsletters.models_sequences import Trigger
from hub.newsletters.models_tracking import Link, LinkClick
from tests.factories import make_member, make_partner

ENGLISH = {
    "locale": "en",
    "subject": "News for {partner.name}",
    "preheader": "What is new",
    "body": "Hello {user.first_name|there}.\n\n[Open the hub](/)",
}
RUSSIAN = {
    "locale": "ru",
    "subject": "Новости для {partner.name}",
    "preheader": "Что нового",
    "body": "Здравствуйте, {user.first_name|партнёр}.\n\n[Открыть](/)",
}


def make_newsletter(author, *contents, topic=Topic.PRODUCT, **values) -> Newsletter:
    newsletter = drafts.create(author, topic, contents=contents or (ENGLISH, RUSSIAN))
    for name, value in values.items():
        setattr(newsletter, name, value)
    db.session.flush()
    return newsletter


def make_audience(number: int, locale: str = "en", **partner) -> list:
    """So many partners with an owner each."""
    return [
        make_member(
            make_partner(**partner),
            email=f"reader{n}-{locale}@example.org",
            name=f"Reader {n}",
            locale=locale,
        )
        for n in range(number)
    ]


def make_delivery(newsletter, user, **values) -> Delivery:
    delivery = Delivery(
        **(
            {
                "newsletter_id": newsletter.id,
                "address": user.email,
                "name": user.name,
                "user_id": user.id,
                "locale": "en",
            }
            | values
        )
    )
    db.session.add(delivery)
    db.session.flush()
    return delivery


def sample(cast) -> dict[str, object]:
    """A draft, a sent newsletter that partners may read, one under way, and a link of a mail."""
    draft = make_newsletter(cast.manager)
    sent = make_newsletter(
        cast.manager,
        status=Status.SENT,
        shown=Shown.PARTNERS,
        tracks_clicks=True,
        started_at=clock.now(),
        finished_at=clock.now(),
    )
    running = make_newsletter(cast.manager, status=Status.SENDING, started_at=clock.now())
    make_delivery(sent, cast.partner, partner_id=cast.acme.id, state=DeliveryState.SENT, sent_at=clock.now())
    make_delivery(running, cast.partner, partner_id=cast.acme.id)
    doubted = make_delivery(sent, cast.other_partner, state=DeliveryState.UNCERTAIN)
    link = Link(newsletter_id=sent.id, url="https://example.org/")
    db.session.add(link)
    segment = Segment(name="Gold", rule=[{"kind": "tier", "values": ["gold"]}])
    db.session.add(segment)
    suppression = Suppression(address="gone@example.org", reason=Reason.BOUNCE)
    db.session.add(suppression)
    db.session.flush()
    db.session.add(LinkClick(link_id=link.id, delivery_id=doubted.id, clicked_at=clock.now()))
    db.session.flush()
    wish = ("visitor@example.com", [Topic.PRODUCT], "en")
    subscribers.confirm(wish)
    sequence, on = (sequences.create(cast.manager, name, Trigger.APPROVED, Topic.SERVICE) for name in "ab")
    step = sequences.add_step(sequence, cast.manager, days=0, hour=9, contents=[ENGLISH])
    on.is_on = True
    db.session.flush()
    token = consent.sign(consent.Reader("partner@example.org", Topic.PRODUCT, "en"))
    return {
        "draft": draft.id,
        "segment": segment.id,
        "link": tracking.signed_number(link.id),
        "key": doubted.key,
        "sent": sent.id,
        "running": running.id,
        "uncertain": doubted.id,
        "token": token,
        "wish": subscribers._signer().dumps(wish),
        "sequence": sequence.id,
        "sequence_on": on.id,
        "step": step.id,
        "suppression": suppression.id,
    }
