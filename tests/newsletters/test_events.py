"""What a provider reports about a mail: signed or refused, once, in any order."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from hub.core import clock
from hub.core.database import db, transaction
from hub.newsletters import consent, events, report
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status, Topic
from hub.newsletters.models_events import ProviderEvent
from hub.tickets.mail_in import receive_mail
from hub.tickets.models_mail import Door

from .factories import make_delivery, make_newsletter

URL = "/newsletters/events/sendgrid"
#: SendGrid's own published example of a signed request.
VECTOR_KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
VECTOR_SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
)
VECTOR_TIMESTAMP = "1600112502"
VECTOR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
THEN = datetime.fromtimestamp(int(VECTOR_TIMESTAMP), UTC)
OURS = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def key(app, monkeypatch):
    """Believe our own key."""
    public = OURS.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    believe(app, monkeypatch, base64.b64encode(public).decode())


def believe(app, monkeypatch, key):
    monkeypatch.setattr(app.extensions["hub.settings"], "sendgrid_webhook_key", key)


def post(client, body, signature, timestamp):
    names = (f"X-Twilio-Email-Event-Webhook-{name}" for name in ("Signature", "Timestamp"))
    headers = dict(zip(names, (signature, timestamp), strict=True))
    return client.post(URL, data=body, headers=headers, content_type="application/json").status_code


def report_of(client, *events):
    body = json.dumps(events).encode()
    timestamp = str(int(clock.now().timestamp()))
    signature = OURS.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    return post(client, body, base64.b64encode(signature).decode(), timestamp)


@pytest.fixture
def delivery(manager, cast):
    with transaction():
        sent = make_newsletter(manager, status=Status.SENT, started_at=clock.now())
        return make_delivery(sent, cast.partner, partner_id=cast.acme.id, state=DeliveryState.SENT)


def fresh(delivery) -> Delivery:
    db.session.rollback()
    return db.session.get(Delivery, delivery.id, populate_existing=True)


def event(delivery, kind, number, **values):
    moment = int(clock.now().timestamp()) - 100 + number
    return {
        "sg_event_id": f"e{number}",
        "event": kind,
        "hub_id": delivery.key,
        "email": delivery.address,
        "timestamp": moment,
    } | values


def test_sendgrids_own_example_is_believed(app, client, monkeypatch):
    believe(app, monkeypatch, VECTOR_KEY)
    with clock.frozen(THEN + timedelta(minutes=4)):
        assert post(client, VECTOR_BODY, VECTOR_SIGNATURE, VECTOR_TIMESTAMP) == 204
    assert db.session.scalar(db.select(db.func.count()).select_from(ProviderEvent)) == 1


@pytest.mark.parametrize(
    ("body", "signature", "timestamp", "minutes"),
    [
        (VECTOR_BODY.replace(b"dropped", b"open"), VECTOR_SIGNATURE, VECTOR_TIMESTAMP, 0),
        (VECTOR_BODY.strip(), VECTOR_SIGNATURE, VECTOR_TIMESTAMP, 0),
        (VECTOR_BODY, VECTOR_SIGNATURE, "1600112503", 0),
        (VECTOR_BODY, VECTOR_SIGNATURE, VECTOR_TIMESTAMP, 6),
        (VECTOR_BODY, VECTOR_SIGNATURE, VECTOR_TIMESTAMP, -6),
        (VECTOR_BODY, "not base64!", VECTOR_TIMESTAMP, 0),
        (VECTOR_BODY, "", "", 0),
        (VECTOR_BODY, VECTOR_SIGNATURE, "9" * 30, 0),
        (VECTOR_BODY, "żółć", "²", 0),
        (b"\xff\xfe", VECTOR_SIGNATURE, VECTOR_TIMESTAMP, 0),
    ],
)
def test_what_is_not_signed_now_by_sendgrid_is_refused(
    app, client, monkeypatch, body, signature, timestamp, minutes
):
    believe(app, monkeypatch, VECTOR_KEY)
    with clock.frozen(THEN + timedelta(minutes=minutes)):
        assert post(client, body, signature.encode().decode("latin-1"), timestamp) == 403
    assert db.session.scalar(db.select(ProviderEvent)) is None


@pytest.mark.parametrize("key", ["", "nonsense", "AAAA"])
def test_without_a_key_nothing_is_believed(app, client, monkeypatch, key):
    believe(app, monkeypatch, key)
    with clock.frozen(THEN):
        assert post(client, VECTOR_BODY, VECTOR_SIGNATURE, VECTOR_TIMESTAMP) == 403


@pytest.mark.parametrize("body", [b"{}", b"null", b"[1]", b"not json"])
def test_a_signed_body_that_holds_no_events_is_refused(client, key, body):
    timestamp = str(int(clock.now().timestamp()))
    signature = OURS.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    assert post(client, body, base64.b64encode(signature).decode(), timestamp) == 403


def test_the_same_events_in_any_order_any_number_of_times(client, key, delivery):
    kinds = ["processed", "delivered", "open", "open", "click", "unsubscribe"]
    events = [event(delivery, kind, n) for n, kind in enumerate(kinds)]
    events[2]["sg_machine_open"] = True
    for each in reversed(events):
        for _ in range(5):
            assert report_of(client, each) == 204
    row = fresh(delivery)
    assert row.state is DeliveryState.SENT
    assert [row.delivered_at, row.machine_opened_at, row.opened_at, row.clicked_at] == [
        datetime.fromtimestamp(events[n]["timestamp"], UTC) for n in (1, 2, 3, 4)
    ]
    assert db.session.scalar(db.select(db.func.count()).select_from(ProviderEvent)) == len(kinds)
    assert consent.declined(row.address, Topic.PRODUCT) == "topic"
    figures = report.outcome(db.session.get(Newsletter, row.newsletter_id))
    assert (figures.delivered, figures.opened, figures.machine_opened, figures.clicked) == (1, 1, 0, 1)


def test_a_bounce_after_all_suppresses_and_counts_as_not_delivered(client, key, delivery):
    assert report_of(client, event(delivery, "delivered", 1), event(delivery, "open", 2)) == 204
    assert report_of(client, event(delivery, "bounce", 3, type="bounce", reason="550 gone")) == 204
    row = fresh(delivery)
    assert (row.state, row.reason) == (DeliveryState.SENT, "550 gone")
    assert consent.declined(row.address, Topic.SERVICE) == "bounce"
    assert report.outcome(row.newsletter).delivered == 0


def test_a_mail_that_was_only_held_up_does_not_suppress(client, key, delivery):
    assert report_of(client, event(delivery, "bounce", 3, type="blocked", reason="busy")) == 204
    assert consent.declined(delivery.address, Topic.SERVICE) is None


def test_a_mail_in_doubt_is_settled_by_a_report(client, key, delivery):
    with transaction():
        row = fresh(delivery)
        row.state, row.claimed_at = DeliveryState.UNCERTAIN, clock.now()
    assert report_of(client, event(delivery, "delivered", 1)) == 204
    assert fresh(delivery).state is DeliveryState.SENT
    assert fresh(delivery).sent_at


def test_events_with_nonsense_in_them_are_taken_and_change_nothing(client, key, delivery):
    odd = [
        {"sg_event_id": "x1", "event": "delivered", "hub_id": "nobody's", "timestamp": "soon"},
        {"sg_event_id": "x2", "event": ["open"], "hub_id": delivery.key},
        {"sg_event_id": "x3"},
        {"event": "delivered", "hub_id": delivery.key},
        {"sg_event_id": "x4", "event": "open", "hub_id": delivery.key, "timestamp": 10**30},
    ]
    assert report_of(client, *odd) == 204
    row = fresh(delivery)
    assert (row.delivered_at, row.clicked_at) == (None, None)
    assert row.opened_at <= clock.now()


def report_by_mail(name, status, action="failed", to="partner@example.org", head=""):
    """A mail server writes what became of a mail (RFC 3464)."""
    lines = (
        "Return-Path: <>|From: MAILER-DAEMON@mx.example.org|To: partners@nordbill.example|Subject: Returned mail"
        f"|Message-ID: <{action}-{status}-{name}@mx.example.org>|MIME-Version: 1.0{head}"
        '|Content-Type: multipart/report; report-type=delivery-status; boundary="b"||--b|'
        "Content-Type: message/delivery-status||Reporting-MTA: dns; mx.example.org||"
        f"Final-Recipient: rfc822; {to}|Action: {action}|Status: {status}|"
        f"Diagnostic-Code: smtp; 550 {status} so it is||--b|Content-Type: text/rfc822-headers||"
        f"Message-ID: <{name}@nordbill.example>||--b--|"
    )
    return receive_mail(lines.replace("|", "\r\n").encode(), Door.COMMAND).reason


@pytest.mark.parametrize(
    ("status", "action", "back", "closed"),
    [
        ("5.1.1", "failed", True, "bounce"),
        ("5.2.2", "failed", True, None),  # full: the next one may fit
        ("5.7.1", "failed", True, None),  # this one was not liked
        ("5.1.8", "failed", True, None),  # nor was its sender
        ("5.0.0", "failed", True, None),  # whatever it was
        ("4.4.1", "failed", True, None),
        ("4.4.1", "delayed", False, None),
        ("2.0.0", "delivered", False, None),
    ],
)
def test_what_a_mail_server_reports_by_mail_stands_in_the_ledger(delivery, status, action, back, closed):
    with transaction():
        row = fresh(delivery)
        row.state, row.claimed_at = DeliveryState.UNCERTAIN, clock.now()
    assert report_by_mail(events.signed_key("0" * 32), "5.1.1") == "bounce"
    assert fresh(delivery).state is DeliveryState.UNCERTAIN, "it is about a mail that is not ours"
    assert report_by_mail(events.signed_key(delivery.key), status, action) == "bounce"
    row = fresh(delivery)
    assert (row.state, row.bounced_at is not None) == (DeliveryState.SENT, back)
    assert (row.delivered_at is not None) == (action == "delivered")
    assert consent.declined(row.address, Topic.SERVICE) == closed
    assert row.reason == (f"550 {status} so it is" if back else None)


def test_only_who_had_the_mail_reports_on_it_and_closes_no_address_but_its_own(delivery):
    name = events.signed_key(delivery.key)
    assert report_by_mail(delivery.key, "5.1.1") == "bounce", "links show the key to everybody"
    forged = "|Authentication-Results: mx.nordbill.example; dmarc=fail header.from=mx.example.org"
    assert report_by_mail(name, "5.1.1", head=forged) == "bounce"
    assert fresh(delivery).bounced_at is None
    assert report_by_mail(name, "5.1.2", to="second@example.org") == "bounce"  # the reader has it passed on
    assert fresh(delivery).bounced_at is not None
    assert consent.declined(delivery.address, Topic.SERVICE) is None
    meant = "second@example.org|Original-Recipient: rfc822; <Partner@example.org>"
    assert report_by_mail(name, "5.1.3", to=meant) == "bounce"
    assert consent.declined(delivery.address, Topic.SERVICE) == "bounce"


def test_a_person_settles_a_mail_in_doubt(browse, manager, delivery, worker):
    page = f"/newsletters/{delivery.newsletter_id}"
    with transaction():
        fresh(delivery).state = DeliveryState.UNCERTAIN
    browser = browse(manager)
    assert "It arrived" in browser.get(page).get_data(as_text=True)
    address = f"{page}/deliveries/{delivery.id}/resolve"
    assert browser.post(address, data={"arrived": "no"}).status_code == 303
    worker()
    assert fresh(delivery).state is DeliveryState.SENT
    assert fresh(delivery).newsletter.status is Status.SENT
    assert browser.post(address, data={"arrived": "yes"}).status_code == 409, "no longer in doubt"


def test_the_report_tells_by_level_and_country_and_exports(browse, manager, client, key, delivery):
    assert report_of(client, event(delivery, "delivered", 1), event(delivery, "click", 2)) == 204
    browser = browse(manager)
    page = browser.get(f"/newsletters/{delivery.newsletter_id}").get_data(as_text=True)
    assert "By country" in page
    csv = browser.get(f"/newsletters/{delivery.newsletter_id}/deliveries.csv").get_data().decode("utf-8-sig")
    head, line = csv.splitlines()
    assert head.startswith("address,name,")
    assert line.startswith("partner@example.org,Pat Partner,en,sent,")
