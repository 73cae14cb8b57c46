"""Opens and followed links are counted where writer and reader allow it, and mails lead nowhere but where they said."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from hub.core import clock
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.earnings.models import EntryKind, LedgerEntry
from hub.newsletters import audience, starting, tracking
from hub.newsletters.models import Delivery, Newsletter, Status
from hub.newsletters.models_tracking import LinkClick
from tests.factories import make_member, make_partner

from .factories import ENGLISH, make_newsletter
from .test_sending import _empty_outbox, mails, parts  # noqa: F401 – a fixture

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
BODY = (
    "Look at [prices](https://example.org/prices?a=1&b=2) or [yours](https://example.org/?p={partner.code})."
)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    """A process that has met no link: every test begins with the number one again."""
    monkeypatch.setattr(tracking, "_destinations", {})


@pytest.fixture
def sent(cast, manager, browse, worker):
    """A counted newsletter to Pat, and to Otto who does not want to be counted, a minute ago."""
    own = browse(cast.other_partner)
    own.post(own.get("/news/preferences").headers["Location"], data={"topics": ["product_news"]})
    with clock.frozen(clock.now() - timedelta(minutes=1)):
        with transaction():
            make_member(make_partner(country="PL"), email="third@example.org")
            texts = ENGLISH | {"body": BODY}
            make_newsletter(manager, status=Status.SENT, started_at=clock.now() - timedelta(days=9))
            number = make_newsletter(manager, texts, tracks_clicks=True, tracks_opens=True).id
        with transaction():
            starting.start(db.session.get(Newsletter, number))
        worker()
    db.session.rollback()
    return number


def row(address) -> Delivery:
    db.session.rollback()
    return db.session.scalar(
        db.select(Delivery).filter_by(address=address).execution_options(populate_existing=True)
    )


def ways(address):
    """The addresses of a mail's counted link and picture."""
    html = parts(mails()[address])[1]
    return [each[len(settings.base_url) :] for each in re.findall(r'"([^"]+/news/(?:to|seen)/[^"]+)"', html)]


def test_mails_hold_numbers_instead_of_addresses_unless_their_reader_minds(sent, cast):
    text, html = parts(mails()["partner@example.org"])
    assert "https://example.org/prices?a=1&b=2" in text
    assert "example.org/prices" not in html
    assert 'href="https://example.org/?p=ACME"' in html, "with the reader's own words it stays as it is"
    assert len(ways("partner@example.org")) == 2
    name = mails()["partner@example.org"]["Message-ID"].strip("<>").partition("@")[0]
    assert name.startswith(row("partner@example.org").key)
    assert name not in html + text, "who is shown a link cannot report on the mail"
    assert ways("other@example.org") == []
    assert "https://example.org/prices?a=1&amp;b=2" in parts(mails()["other@example.org"])[1]


def test_who_minds_once_it_has_started_is_not_counted_either(cast, manager, worker):
    with transaction():
        newsletter = make_newsletter(manager, ENGLISH | {"body": BODY}, tracks_clicks=True, tracks_opens=True)
        starting.start(newsletter)
    with transaction():
        tracking.allow("partner@example.org", False)
    worker()
    assert (ways("partner@example.org"), len(ways("other@example.org"))) == ([], 2)
    assert "untracked" in row("partner@example.org").values, "nor is it said later that they did not open it"


def test_people_are_counted_once_and_programs_apart(sent, cast, client, browse, manager):
    link, picture = ways("partner@example.org")
    answer = client.get(link, headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://example.org/prices?a=1&b=2")
    start, number = re.fullmatch(r"(.+/)(\d+)\..+", link).groups()
    for guessed in (number, "999999?url=https://evil.example", f"{number}.", f"²{link.removeprefix(start)}"):
        assert client.get(start + guessed, headers=BROWSER).headers["Location"] == settings.base_url + "/"
    client.get(link, headers=BROWSER)
    client.get(picture, headers={"User-Agent": "Mozilla/5.0"})  # a mail program's proxy
    third_link, third_picture = ways("third@example.org")
    client.head(third_link, headers=BROWSER)
    client.get(third_link, headers={"User-Agent": "Barracuda Sentinel"})
    client.get(third_picture, headers=BROWSER)
    tracking.collect()
    pat, third = row("partner@example.org"), row("third@example.org")
    assert pat.clicked_at is not None
    assert pat.opened_at == pat.clicked_at, "whoever follows a link has opened the mail"
    assert pat.machine_opened_at is not None
    assert (third.clicked_at, third.opened_at is None, third.machine_opened_at) == (None, False, None)
    clicks = db.session.execute(
        db.select(LinkClick.clicked_at.is_(None), LinkClick.machine_at.is_(None)).order_by(LinkClick.id)
    )
    assert [tuple(each) for each in clicks] == [(False, True), (True, False)]
    with transaction():
        tracking.allow("partner@example.org", False)
        db.session.execute(db.update(Delivery).values(sent_at=clock.now(), clicked_at=None))
    client.get(third_link, headers=BROWSER)  # within seconds: nobody reads so fast
    client.get(link, headers=BROWSER)  # no longer wanted: the mail of before counts no more
    tracking.collect()
    assert (row("third@example.org").clicked_at, row("partner@example.org").clicked_at) == (None, None)


def test_the_report_sets_clickers_beside_the_rest_in_few_statements(sent, cast, manager, client, browse):
    client.get(ways("partner@example.org")[0], headers=BROWSER)
    tracking.collect()
    with transaction():
        for partner, kind, amount, days in (
            (cast.acme, EntryKind.COMMISSION, 5000, 3),
            (cast.acme, EntryKind.PAYOUT, -9900, 4),
            (cast.acme, EntryKind.COMMISSION, 7700, 31),
            (cast.other_org, EntryKind.COMMISSION, 2000, 29),
        ):
            moment = clock.now() + timedelta(days=days)
            entry = {"occurred_at": moment, "available_at": moment, "currency": "EUR"}
            db.session.add(LedgerEntry(partner_id=partner.id, kind=kind, amount_minor=amount, **entry))
    browser = browse(manager)
    statements = []

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    browser.get(f"/newsletters/{sent}")
    event.listen(db.engine, "before_cursor_execute", note)
    page = browser.get(f"/newsletters/{sent}").get_data(as_text=True)
    event.remove(db.engine, "before_cursor_execute", note)
    asked = [each for each in statements if each.startswith("SELECT")]
    assert len(asked) <= 15, "\n".join(asked)
    table = re.sub(r"<[^>]+>|\s+", " ", page[page.index("Who followed a link") :][:900])
    assert re.search(r"Who followed a link +1 +€50.00 +€50.00 +The rest +2 +€20.00 +€10.00 ", table), table
    assert "Counted so far" in page
    assert browser.get(f"/newsletters/{sent}/links.csv").get_data(as_text=True).splitlines()[1:] == [
        "https://example.org/prices?a=1&b=2,1,0"
    ]


def test_it_goes_again_only_to_who_is_known_not_to_have_opened_it(sent, cast, manager, client, browse):
    with transaction():
        make_member(make_partner(), email="late@example.org")  # never got it
    client.get(ways("partner@example.org")[0], headers=BROWSER)
    tracking.collect()
    browser = browse(manager)
    address = browser.post(f"/newsletters/{sent}/again").headers["Location"]
    copy = db.session.get(Newsletter, int(address.split("/")[2]))
    found = [each.address for each in audience.recipients(copy.audience, copy.topic)]
    assert found == ["third@example.org"], "Pat followed a link, and of Otto nobody knows"
    assert "Did not open the newsletter: News for " in browser.get(address).get_data(as_text=True)
    assert copy.content("en").body == BODY
    uncounted = db.session.scalar(db.select(Newsletter.id).filter_by(status=Status.SENT, tracks_opens=False))
    with transaction():
        running = make_newsletter(manager, status=Status.SENDING, tracks_opens=True, started_at=clock.now())
    for number in (uncounted, running.id):
        assert browser.post(f"/newsletters/{number}/again").status_code == 409
