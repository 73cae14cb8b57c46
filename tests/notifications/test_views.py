"""The list, the bell's part of it, and what is whose."""

import pytest
from flask import g

from hub.core.database import db, transaction
from hub.core.extensions import socketio
from hub.notifications import service
from hub.notifications.models import Notification

from .factories import make_notification


@pytest.fixture
def reply(partner):
    with transaction():
        return make_notification(partner, subject="Order 48213", url="/tickets/7")


def test_the_list_shows_ones_own_and_leads_there(browse, partner, reply):
    page = browse(partner).get("/notifications/").text
    assert "Agnes answered “Order 48213”" in page
    assert 'href="/tickets/7"' in page


def test_nobody_sees_anothers(browse, other_partner, reply):
    browser = browse(other_partner)
    assert "48213" not in browser.get("/notifications/").text + browser.get("/notifications/bell").text


def test_anothers_cannot_be_marked(browse, other_partner, reply):
    assert browse(other_partner).post(f"/notifications/{reply.id}/read").status_code == 404
    db.session.expire_all()
    assert db.session.get(Notification, reply.id).read_at is None


def test_marking_one(browse, partner, reply):
    answer = browse(partner).post(f"/notifications/{reply.id}/read")
    assert (answer.status_code, answer.location) == (303, "/notifications/")
    assert service.unread_count(partner) == 0


def test_a_script_gets_no_page(browse, partner, reply):
    answer = browse(partner).post("/notifications/read", headers={"X-Requested-With": "fetch"})
    assert (answer.status_code, answer.data) == (204, b"")


def test_unread_only(browse, partner, reply):
    with transaction():
        service.mark_read(reply)
        make_notification(partner, subject="A newer one")
    page = browse(partner).get("/notifications/?show=unread").text
    assert "A newer one" in page
    assert "48213" not in page


def test_pages_follow_each_other_without_gap_or_repeat(browse, partner):
    with transaction():
        for n in range(60):
            make_notification(partner, subject=f"Subject {n:02d}.")
    browser, url, seen = browse(partner), "/notifications/", []
    while url:
        page = browser.get(url).text
        seen += [n for n in range(60) if f"Subject {n:02d}." in page]
        url = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert sorted(seen) == list(range(60))


def test_the_frame_shows_the_number(browse, partner, reply):
    page = browse(partner).get("/notifications/").text
    assert 'aria-label="Notifications: 1"' in page


def test_an_open_page_hears_its_own_bell_only(app, browse, partner, other_partner):
    mine = socketio.test_client(app, flask_test_client=browse(partner))
    vars(g).clear()  # the second connection has a context of its own, as on a server
    theirs = socketio.test_client(app, flask_test_client=browse(other_partner))
    with transaction():
        make_notification(partner)
    assert [news["args"] for news in mine.get_received()] == [[{"count": 1}]]
    assert theirs.get_received() == []


def test_a_page_that_was_away_asks_how_many_wait(app, browse, partner):
    mine = socketio.test_client(app, flask_test_client=browse(partner))
    assert mine.emit("bell", {}, callback=True) == {"ok": True, "count": 0}
    with transaction():
        make_notification(partner)
    assert mine.emit("bell", {}, callback=True) == {"ok": True, "count": 1}


def test_a_visitor_gets_no_socket(app, client):
    assert not socketio.test_client(app, flask_test_client=client).is_connected()
