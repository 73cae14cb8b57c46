"""The team's lists: views, filters, orders, and what stands beside a thread."""

from datetime import timedelta

import pytest

from hub.core import clock, fulltext
from hub.core.clock import frozen
from hub.core.database import db, transaction
from hub.earnings.models import LedgerEntry
from hub.tickets import rating, saved_views, service, ties
from hub.tickets.inbox import Asked, Order, View, tickets
from hub.tickets.models import Category, Channel, Priority, SavedView, Status, Ticket

from ..earnings.factories import sell
from ..factories import make_user
from ..guards.test_statements import statements
from ..kb.factories import make_article, make_category
from .factories import an_id, make_field, make_ticket


def subjects(asked, user) -> list[str]:
    return [ticket.subject for ticket in tickets(asked, user)]


@pytest.fixture
def three(cast):
    """Three tickets: an urgent one about a payout, one by chat, one of another partner that was answered."""
    start = clock.now() - timedelta(days=1)
    with frozen(start):
        urgent = make_ticket(cast.partner, "Urgent", category=Category.PAYOUT)
    with frozen(start + timedelta(hours=1)):
        make_ticket(cast.partner, "Chat", channel=Channel.CHAT)
    with frozen(start + timedelta(hours=2)):
        answered = make_ticket(cast.other_partner, "Answered")
    with transaction():
        service.classify(urgent, cast.agent, priority=Priority.URGENT, category=Category.PAYOUT)
        service.reply(answered, cast.agent, "Done.", seen=1, client_id=an_id())
    return urgent


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"view": "all"}, ["Answered", "Chat", "Urgent"]),
        ({"view": "all", "order": "oldest"}, ["Urgent", "Chat", "Answered"]),
        ({"view": "all", "order": "priority"}, ["Urgent", "Answered", "Chat"]),
        ({"view": "all", "priority": "urgent"}, ["Urgent"]),
        ({"view": "all", "category": "payout"}, ["Urgent"]),
        ({"view": "all", "channel": "chat"}, ["Chat"]),
        ({"view": "all", "status": "waiting"}, ["Answered"]),
        ({"view": "all", "assignee": "me"}, ["Answered"]),
        ({"view": "live", "assignee": "nobody"}, ["Chat", "Urgent"]),
        ({"view": "all", "partner": "other"}, ["Answered"]),
        ({"view": "all", "assignee": "999999999", "order": "nonsense"}, []),
        ({"view": "unassigned", "order": "due"}, ["Urgent", "Chat"]),
    ],
)
def test_a_list_holds_what_its_address_asks_for(cast, three, args, expected):
    assert subjects(Asked.read(args), cast.agent) == expected


@pytest.mark.parametrize("order", list(Order))
def test_every_order_pages_through_everything_once(cast, order):
    for n in range(60):
        with frozen(clock.now() - timedelta(minutes=n % 7)):
            make_ticket(cast.partner, f"{n:02d}")
    asked, cursor, seen = Asked(View.ALL, order), None, []
    while True:
        page = tickets(asked, cast.agent, cursor)
        seen += [ticket.subject for ticket in page]
        if not (cursor := page.older):
            break
    assert sorted(seen) == [f"{n:02d}" for n in range(60)]
    assert len(seen) == 60


def test_a_saved_view_is_ones_own_unless_shared(browse, cast, three):
    browser = browse(cast.agent)
    for name, more in (("PAYOUTS-OF-MINE", {}), ("CHATS-OF-ALL", {"is_shared": "y"})):
        url = "/inbox/views?view=all&category=payout" if not more else "/inbox/views?view=all&channel=chat"
        assert browser.post(url, data={"name": name} | more).status_code == 303
    mine, theirs = browser.get("/inbox").text, browse(cast.manager).get("/inbox").text
    assert "PAYOUTS-OF-MINE" in mine
    assert "CHATS-OF-ALL" in mine
    assert "PAYOUTS-OF-MINE" not in theirs
    assert "CHATS-OF-ALL" in theirs
    shared = db.session.scalars(db.select(SavedView).where(SavedView.is_shared)).one()
    own = db.session.scalars(db.select(SavedView).where(~SavedView.is_shared)).one()
    with transaction():
        colleague = make_user(cast.agent.role)
    colleague, manager = browse(colleague), browse(cast.manager)
    renamed = {"name": "RENAMED"}
    for verb in ("", "/filters?view=all&status=new", "/forget"):
        assert manager.post(f"/inbox/views/{own.id}{verb}", data=renamed).status_code == 404
        assert colleague.post(f"/inbox/views/{shared.id}{verb}", data=renamed).status_code == 403
    assert "RENAMED" not in browser.get("/inbox").text
    assert browser.post(f"/inbox/views/{own.id}/forget").status_code == 303
    assert "PAYOUTS-OF-MINE" not in browser.get("/inbox").text


def test_a_saved_view_is_renamed_shared_and_given_other_filters(browse, cast, three, monkeypatch):
    agent, manager = browse(cast.agent), browse(cast.manager)
    agent.post("/inbox/views?view=all&channel=chat", data={"name": "Chats", "is_shared": "y"})
    view = db.session.scalars(db.select(SavedView)).one()
    page = f"/inbox/views/{view.id}"
    assert page in manager.get("/inbox?view=all&channel=chat").text
    there = manager.get(f"/inbox/views/new?view=live&status=new&assignee={cast.agent.id}").text
    assert f"{page}/filters?view=live&amp;status=new&amp;assignee={cast.agent.id}" in there
    assert cast.agent.name in there  # said by name, not by number
    answer = manager.post(f"{page}/filters?view=live&status=new&q=bank")
    assert answer.location == "/inbox?view=live&status=new&q=bank"
    assert agent.post(page, data={"name": " "}).status_code == 422
    assert agent.post(page, data={"name": "x" * 41}).status_code == 422
    assert agent.post(page, data={"name": "New ones"}).status_code == 303  # and shared no more
    db.session.refresh(view)
    assert (view.name, view.is_shared) == ("New ones", False)
    assert view.asked == {"view": "live", "status": "new", "q": "bank"}
    assert manager.get(page).status_code == 404
    monkeypatch.setattr(saved_views, "MOST", 1)
    assert agent.post("/inbox/views?view=all", data={"name": "Two"}).status_code == 409


def test_due_times_are_told_in_the_viewers_zone(browse, cast):
    with frozen(clock.now().replace(year=2026, month=11, day=20, hour=16, minute=30, second=0)):  # a Friday
        ticket = make_ticket(cast.partner)
        in_oslo = make_user(cast.agent.role, time_zone="Europe/Oslo")
        in_kyiv = make_user(cast.agent.role, time_zone="Europe/Kyiv")
        db.session.commit()
        # Four hours of working time: half an hour on Friday (to 18:00 in Oslo), the rest on Monday.
        assert "due Mon 12:30" in browse(in_oslo).get(f"/inbox/{ticket.number}").text
        assert "due Mon 13:30" in browse(in_kyiv).get(f"/inbox/{ticket.number}").text


def test_the_line_that_is_questioned_goes_along_and_only_ones_own(browse, cast):
    with transaction():
        sell(cast.acme)
    entry = db.session.scalars(db.select(LedgerEntry)).one()
    form = {
        "subject": "Why?",
        "body": "Too little",
        "category": "commission",
        "entry": entry.id,
        "client_id": an_id(),
    }
    assert browse(cast.other_partner).get(f"/tickets/new?entry={entry.id}").status_code == 404
    assert browse(cast.other_partner).post("/tickets", data=form).status_code == 404
    assert browse(cast.partner).get(f"/tickets/new?entry={entry.id}").status_code == 200
    assert browse(cast.partner).post("/tickets", data=form).status_code == 303
    ticket = db.session.scalars(db.select(Ticket)).one()
    assert ticket.entry_id == entry.id
    beside = browse(cast.agent).get(f"/inbox/{ticket.number}/context").text
    assert f"/earnings/entries/{entry.id}" in beside


def test_pages_of_the_inbox_ask_at_most_ten_times(browse, cast, three):
    """With everything beside the thread that may stand there; what the page fetches, and the page without scripts."""
    browser = browse(cast.agent)
    browser.post("/inbox/views?view=all&category=payout", data={"name": "Payouts"})
    with transaction():
        sell(cast.acme)
        article = make_article(make_category("asked"), "Commission is missing")
    entry = db.session.scalars(db.select(LedgerEntry)).one()
    make_field()
    make_ticket(cast.partner, "Other", entry=entry)
    ticket = make_ticket(cast.partner, "Commission is missing", entry=entry, article=article)
    with transaction():
        ties.tie(ticket, three, cast.agent)
        ties.follow(ticket, cast.agent)
        service.reply(ticket, cast.agent, "It is there now.", seen=9, client_id=an_id())
        service.set_status(ticket, cast.agent, Status.RESOLVED)
        rating.rate(rating.latest(ticket), cast.partner, 5, "RATED")
        service.set_status(ticket, cast.agent, Status.OPEN)
    page, thread, path = f"/inbox/{ticket.number}/context", f"/inbox/{three.number}", article.path
    there = (f"/earnings/entries/{entry.id}", path, three.subject, "RATED", "Other", "Order number")
    fulltext.rebuild("en")  # in a session of its own
    for url, headers in (
        ("/inbox?view=all&category=payout", None),
        (thread, None),
        (page, {"HX-Request": "true"}),
        (page, None),
        (page.replace("context", "articles"), None),
    ):
        shown = browser.get(url, headers=headers).text
        status, asked = statements(browser, url, headers)
        assert status == 200
        assert len(asked) <= 10, f"{url}:\n" + "\n".join(asked)
        if url.endswith("articles"):
            assert path in shown
        if url == page:
            assert [each for each in there if each not in shown] == []


def test_what_is_settled_is_due_no_more(cast, three):
    assert three.due is not None
    with transaction():
        service.set_status(three, cast.agent, Status.RESOLVED)
    assert three.due is None
    assert three.resolution_minutes is not None
