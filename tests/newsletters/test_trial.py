"""Two subjects: each goes to a share of the audience, and the rest gets the one that was followed more, or nothing yet."""

import re
from collections import Counter
from datetime import timedelta

import pytest

from hub.accounts.models import User
from hub.core import clock
from hub.core.database import db, transaction
from hub.newsletters import checks, drafts, starting, steering, tasks
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status
from tests.smtp import Sink

from .factories import ENGLISH, make_audience, make_newsletter
from .test_sending import _empty_outbox, fresh, mails, states  # noqa: F401


@pytest.fixture
def trial(cast, manager, worker):
    """Twelve readers, half of them tried on, three with each subject, for two hours."""
    with transaction():
        make_audience(10)
        texts = ENGLISH | {"subject": "First", "subject_b": "Second for {partner.name}"}
        newsletter = make_newsletter(manager, texts)
        drafts.try_subjects(newsletter, 50, 2)
        assert newsletter.tracks_clicks, "what is chosen by links counts them"
    with transaction():
        starting.start(fresh(newsletter))
    worker()
    return newsletter


def subjects():
    return Counter(str(mail["Subject"]).split(" ")[0] for mail in mails().values())


def follow(variant):
    with transaction():
        one = db.select(Delivery.id).filter_by(variant=variant).limit(1)
        db.session.execute(db.update(Delivery).where(Delivery.id.in_(one)).values(clicked_at=clock.now()))


@pytest.mark.parametrize(("followed", "winner"), [("b", "Second"), ("", "First")])
def test_the_rest_waits_for_the_subject_that_was_followed_more(
    trial, worker, manager, browse, followed, winner
):
    assert subjects() == {"First": 3, "Second": 3}
    assert states(trial) == {"sent": 6, "held": 6}
    follow(followed)
    with transaction():
        steering.pause(fresh(trial))
    with transaction():
        steering.resume(fresh(trial), None)
    worker()
    assert subjects().total() == 6, "nobody of the rest gets it before one is chosen"
    assert fresh(trial).status is Status.SENDING
    page = browse(manager).get(f"/newsletters/{trial.id}").get_data(as_text=True)
    assert "The rest waits until one is chosen" in page
    with clock.frozen(clock.now() + timedelta(hours=2)):
        tasks.send()
    assert subjects() == {winner: 9, "First" if winner == "Second" else "Second": 3}
    assert states(trial) == {"sent": 12}
    assert fresh(trial).status is Status.SENT
    assert fresh(trial).title().split(" ")[0] == winner
    assert fresh(trial).ab_result == {"a": [3, 0], "b": [3, 1 if followed else 0]}
    page = browse(manager).get(f"/newsletters/{trial.id}").get_data(as_text=True)
    assert "As it stood when one was chosen." in page
    own = db.select(User, Delivery.variant).join(Delivery, Delivery.user_id == User.id)
    for person, variant in db.session.execute(own.order_by(User.id).limit(2)).all():
        subject = {"a": "First", "b": "Second"}[variant]
        for where in (f"/news/{trial.id}", "/news"):
            found = re.findall("First|Second", browse(person).get(where).get_data(as_text=True))
            assert set(found) == {subject}, "one's own, as it came"


def test_a_mailbox_that_asks_to_wait_holds_nobody_back(trial, app, monkeypatch):
    def busy(stage, who):
        return "450 try later" if stage == "rcpt" and who == slow else None

    moment = clock.now() + timedelta(hours=73)  # longer than anyone is patient, counted from the start
    put_off = {"state": DeliveryState.PENDING, "attempts": 1, "next_at": moment + timedelta(hours=1)}
    with transaction():
        one = db.session.scalar(db.select(Delivery.id).filter_by(variant="a").limit(1))
        db.session.execute(db.update(Delivery).where(Delivery.id == one).values(put_off))
        slow = db.session.scalar(db.select(Delivery.address).filter_by(state=DeliveryState.HELD).limit(1))
    with Sink(busy) as sink, clock.frozen(moment):
        monkeypatch.setattr(app.extensions["hub.settings"], "mail_url", sink.url)
        tasks.send()
    assert fresh(trial).ab_result == {"a": [2, 0], "b": [3, 0]}
    assert states(trial) == {"sent": 10, "pending": 2}, "whose turn has just come is tried again"
    with transaction():
        last = {"attempts": 100, "next_at": moment}
        db.session.execute(db.update(Delivery).where(Delivery.address == slow).values(last))
    with Sink(busy) as sink, clock.frozen(moment):
        monkeypatch.setattr(app.extensions["hub.settings"], "mail_url", sink.url)
        tasks.send()
    assert states(trial) == {"sent": 10, "pending": 1, "failed": 1}


def test_a_second_subject_is_asked_for_in_every_language(cast, manager):
    with transaction():
        newsletter = make_newsletter(manager, ENGLISH | {"subject_b": "Second for {partner.colour}"})
        drafts.try_subjects(newsletter, 10, 2)
    found = [each.text for each in checks.review(db.session.get(Newsletter, newsletter.id)) if each.blocks]
    assert found == ["“{partner.colour}” is not a variable", "Too few people to try two subjects on"]
    with transaction():
        newsletter = db.session.get(Newsletter, newsletter.id)
        newsletter.contents[0].subject_b = ""
    found = [each.text for each in checks.review(db.session.get(Newsletter, newsletter.id)) if each.blocks]
    assert found == ["The second subject is missing in English"]
