"""Figures of a month: told from closed statements that equal the ledger, each to its own partner only."""

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update

from hub.core import clock
from hub.core.database import db, transaction
from hub.earnings import payouts
from hub.earnings.models import Statement
from hub.newsletters import audience, checks, reading, starting
from hub.newsletters.checks import NotReady
from hub.newsletters.models import Newsletter
from hub.partners import levels
from hub.partners.models import TierCause
from tests.earnings.factories import refund, sell
from tests.factories import make_member, make_partner

from .factories import ENGLISH, RUSSIAN, make_newsletter
from .test_sending import _empty_outbox, mails, parts  # noqa: F401 – a fixture

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
MID_OCTOBER = datetime(2026, 10, 15, 12, tzinfo=UTC)
MID_NOVEMBER = datetime(2026, 11, 15, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 3, 12, tzinfo=UTC)
BODY = "Hello {user.first_name}\n\n::: earnings\n\nIn {earnings.month|}: {earnings.total|nothing}, place {earnings.rank|–}."


@pytest.fixture(autouse=True)
def _december(app):
    with clock.frozen(DECEMBER):
        yield


def partners(number):
    """Partners with an owner each; the n-th has n sales in November, of an amount that nobody else has."""
    for n in range(1, number + 1):
        partner = make_partner(joined_at=MID_OCTOBER, currency="EUR" if n % 2 else "GBP")
        levels.ensure_ladder()
        make_member(
            partner, email=f"p{n}@example.org", name=f"Reader{n} X", locale="ru" if n % 3 == 0 else "en"
        )
        for _sale in range(n):
            sell(partner, 10_000 + n * 1_730, MID_NOVEMBER, currency=partner.currency)
        yield partner


@pytest.fixture
def newsletter(manager):
    with transaction():
        return make_newsletter(manager, ENGLISH | {"body": BODY}, RUSSIAN | {"body": BODY})


def problems(newsletter):
    return [each.text for each in checks.review(db.session.get(Newsletter, newsletter.id)) if each.blocks]


def test_no_mail_contains_the_figures_of_another_partner(cast, newsletter, worker):
    with transaction():
        own = dict(enumerate(partners(9), 1))
        refund(sell(own[4], 50_000, MID_NOVEMBER, currency="GBP"), 20_000, MID_NOVEMBER)
        payouts.pay_everyone()  # a payout of the month is no negative earning
        payouts.close_month(NOVEMBER)
        starting.start(db.session.get(Newsletter, newsletter.id))
    worker()
    sent = {who.split("@")[0]: "".join(parts(mail)) for who, mail in mails().items()}
    assert len(sent) == 11, "Acme and Other have no figures, and get a mail without any"
    earned = {
        f"p{n}": db.session.scalar(
            db.text("select sum(amount_minor) from ledger_entry where partner_id = :id and kind != 'payout'"),
            {"id": partner.id},
        )
        for n, partner in own.items()
    }
    assert len(set(earned.values())) == 9
    for who, text in sent.items():
        amounts = {
            int(re.sub(r"\D", "", found))
            for found in re.findall(
                r"[\d\u00a0\u202f ,.]*\d[.,]\d\d(?=\u00a0[€£])|(?<=[€£])[\d,]+\.\d\d", text
            )
        }
        assert amounts == ({earned[who]} if who in earned else set()), who
    assert "place 1." in sent["p8"] or "place 1." in sent["p9"]
    assert "November 2026: £" in sent["p8"]
    assert "Earned in" not in sent["partner"]


def test_a_month_that_is_not_over_is_not_told(cast, newsletter):
    with transaction():
        list(partners(1))
        newsletter = db.session.get(Newsletter, newsletter.id)
        newsletter.month = date(2026, 12, 1)
    assert problems(newsletter) == ["December 2026 is not over yet"]


def test_a_month_that_is_not_closed_for_someone_is_not_told(cast, newsletter):
    with transaction():
        first, second = partners(2)
        payouts.close_statement(first, first.currency, NOVEMBER)
    assert problems(newsletter) == [f"November 2026 is not closed for {second.name}"]
    with pytest.raises(NotReady), transaction():
        starting.start(db.session.get(Newsletter, newsletter.id))
    with transaction():
        payouts.close_statement(second, second.currency, NOVEMBER)
    assert problems(newsletter) == []


def test_a_statement_that_does_not_equal_the_ledger_is_not_told(cast, newsletter):
    with transaction():
        (partner,) = partners(1)
        payouts.close_month(NOVEMBER)
        db.session.execute(update(Statement).values(total_minor=Statement.total_minor + 1))
    assert problems(newsletter) == [
        f"The statement of {partner.name} for November 2026 does not equal the ledger"
    ]


def test_figures_compare_with_the_month_before_and_name_a_new_level(cast, manager, worker):
    with transaction():
        partner = next(partners(1))
        sell(partner, 11_730 // 2, MID_OCTOBER)
        gold = levels.ladder()[-1]
        levels.standing(partner).assign(gold, MID_NOVEMBER, TierCause.MANUAL)
        payouts.close_month(OCTOBER)
        payouts.close_month(NOVEMBER)
        newsletter = make_newsletter(
            manager, ENGLISH | {"body": "Hi\n\n::: earnings\n\n## Level\n\n::: level"}
        )
        starting.start(newsletter)
    worker()
    sent = {who: parts(mail)[0] for who, mail in mails().items()}
    assert "+100% on the month before" in sent["p1@example.org"]
    assert "You have reached Gold: from 15 November 2026 your commission is 25%." in sent["p1@example.org"]
    assert "Level" not in sent["partner@example.org"]
    assert problems(newsletter) == []


def test_the_archive_shows_figures_to_their_own_reader_only(cast, newsletter, worker, manager):
    with transaction():
        list(partners(2))
        payouts.close_month(NOVEMBER)
        starting.start(db.session.get(Newsletter, newsletter.id))
    worker()
    db.session.rollback()
    newsletter = db.session.get(Newsletter, newsletter.id)
    people = {each.user.email: each.user for each in audience.recipients([], newsletter.topic)}
    page = reading.for_page(newsletter, "en", people["p1@example.org"])[2]
    assert "€17.60" in page
    assert "£" not in page
    assert "17.60" not in reading.for_page(newsletter, "en", manager)[2]
