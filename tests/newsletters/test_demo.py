"""The demo's newsletters are complete and could have been sent."""

import random

from hub.accounts import demo as people
from hub.core import clock
from hub.core.database import db, transaction
from hub.newsletters import checks, demo, ledger, sequences
from hub.newsletters.demo_texts import SENT
from hub.newsletters.models import Newsletter, Status
from hub.newsletters.models_sequences import Sequence
from tests.factories import make_member, make_partner


def test_the_demo_sends_a_year_in_four_languages(app):
    played = people.begin(clock.now())
    with transaction():
        people.fill(played, random.Random(1))
        for number in range(12):
            with played.at(days=360 - number * 30):
                make_member(make_partner(), locale=("en", "ru", "uk", "pl")[number % 4])
        demo.fill(played, random.Random(1))
    newsletters = list(
        db.session.scalars(
            db.select(Newsletter)
            .where(Newsletter.status != Status.TEMPLATE, Newsletter.sequence_id.is_(None))
            .order_by(Newsletter.id)
        )
    )
    assert [each.status for each in newsletters] == [Status.SENT] * len(SENT) + [Status.DRAFT]
    assert all(
        {content.locale for content in each.written} == {"en", "ru", "uk", "pl"} for each in newsletters
    )
    totals = [sum(ledger.counts(each.id).values()) for each in newsletters[:-1]]
    assert totals == sorted(totals), "who joined later did not get earlier mails"
    assert 0 < totals[0] < totals[-1]
    welcome = db.session.scalar(db.select(Sequence))
    sent = [each.sent for each in sequences.standings(welcome)]
    assert sent == [11] * 3, "who came after it was switched on"
    newsletters += welcome.steps
    assert all(len(each.written) == 4 for each in welcome.steps)
    assert [line.text for each in newsletters for line in checks.review(each) if line.blocks] == []
