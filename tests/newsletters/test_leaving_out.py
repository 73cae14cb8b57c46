"""Who is left out: the list of addresses and its files, and the budget of mails per person and week."""

import io
from datetime import timedelta

import pytest

from hub.core import clock
from hub.core.database import db, transaction
from hub.newsletters import consent, starting
from hub.newsletters.checks import review
from hub.newsletters.models import (
    Delivery,
    DeliveryState,
    Newsletter,
    Status,
    Suppression,
    SuppressionReason,
    Topic,
)
from tests.factories import make_member, make_partner

from .factories import make_delivery, make_newsletter


def upload(browser, content: str):
    data = {"file": (io.BytesIO(content.encode()), "list.csv")}
    return browser.post(
        "/newsletters/suppressions/import",
        data=data,
        content_type="multipart/form-data",
        follow_redirects=True,
    )


def listed():
    db.session.rollback()
    return dict(iter(db.session.execute(db.select(Suppression.address, Suppression.reason))))


def test_a_list_is_read_in_once_per_address_and_written_out_as_it_came(manager, browse):
    with transaction():
        consent.suppress("known@example.org", SuppressionReason.BOUNCE)
    browser = browse(manager)
    page = upload(
        browser,
        "Address,Reason\nKnown@example.org,manual\nNew@Example.org,complaint\nnew@example.org,\nme@bücher.example,odd\n"
        "no address,\n=cmd@x.example,manual\n",
    ).get_data(as_text=True)
    expected = {
        "known@example.org": SuppressionReason.BOUNCE,
        "new@example.org": SuppressionReason.COMPLAINT,
        "me@xn--bcher-kva.example": SuppressionReason.MANUAL,
        "=cmd@x.example": SuppressionReason.MANUAL,
    }
    assert listed() == expected
    assert "3 addresses added." in page
    assert "No address in these lines: 6." in page
    written = browser.get("/newsletters/suppressions.csv").get_data(as_text=True)
    assert "'=cmd@x.example,manual" in written
    assert "0 addresses added." in upload(browser, written).get_data(as_text=True)
    assert listed() == expected


@pytest.mark.parametrize("content", ["", "name\nx\n", "\x00"])
def test_a_file_without_addresses_is_refused(manager, browse, content):
    assert upload(browse(manager), content).status_code == 422
    assert listed() == {}


@pytest.fixture
def budget(app, monkeypatch):
    monkeypatch.setattr(app.extensions["hub.settings"], "mail_weekly_budget", 2)


def had(user, *days, topic=Topic.MATERIALS, author, state=DeliveryState.SENT):
    """Mails that a person got so many days ago."""
    for ago in days:
        sent = make_newsletter(author, topic=topic, status=Status.SENT, started_at=clock.now())
        make_delivery(sent, user, state=state, sent_at=clock.now() - timedelta(days=ago))


def outcome(author, worker, topic):
    with transaction():
        newsletter = make_newsletter(author, topic=topic)
    with transaction():
        starting.start(db.session.get(Newsletter, newsletter.id))
    worker()
    db.session.rollback()
    rows = db.session.execute(
        db.select(Delivery.address, Delivery.state, Delivery.reason).where(
            Delivery.newsletter_id == newsletter.id
        )
    )
    return {address.split("@")[0]: (state.value, reason) for address, state, reason in rows}


def test_nobody_gets_more_than_the_budget_in_a_week_but_service_mail(cast, manager, worker, budget):
    with transaction():
        had(cast.partner, 1, 6, author=manager)
        had(cast.other_partner, 1, 8, author=manager)
        had(cast.other_partner, 1, 2, topic=Topic.SERVICE, author=manager)
        had(cast.other_partner, 1, author=manager, state=DeliveryState.FAILED)
        draft = make_newsletter(manager)
    lines = [each.text for each in review(db.session.get(Newsletter, draft.id)) if not each.is_fine]
    assert lines == ["1 person has had enough mails this week"]
    assert outcome(manager, worker, Topic.PRODUCT) == {
        "partner": ("suppressed", "budget"),
        "other": ("sent", None),
    }
    assert outcome(manager, worker, Topic.SERVICE) == {"partner": ("sent", None), "other": ("sent", None)}
    assert outcome(manager, worker, Topic.TRAINING)["other"] == ("suppressed", "budget"), (
        "the mail of just now counts"
    )


def test_addresses_that_differ_in_spelling_are_one(cast, manager, worker):
    with transaction():
        # The third and the fourth are different firms, though ß was once written ss in a domain.
        spellings = [
            "Me@BÜCHER.example",
            "me@xn--bcher-kva.example",
            "one@straße.example",
            "one@strasse.example",
        ]
        for address in spellings:
            make_member(make_partner(), email=address)
        consent.suppress("partner@example.org", SuppressionReason.MANUAL)
    sent = outcome(manager, worker, Topic.PRODUCT)
    assert sent == {
        "other": ("sent", None),
        "me": ("sent", None),
        "one": ("sent", None),
        "partner": ("suppressed", "manual"),
    }
    ones = db.session.scalars(db.select(Delivery.address).where(Delivery.address.startswith("one@")))
    assert sorted(ones) == ["one@strasse.example", "one@xn--strae-oqa.example"]
    assert (
        db.session.scalar(
            db.select(db.func.count())
            .select_from(Delivery)
            .where(Delivery.address == "me@xn--bcher-kva.example")
        )
        == 1
    )
