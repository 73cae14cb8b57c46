"""Who is told what, once, and in which words."""

import pytest
from sqlalchemy import select

from hub.core import i18n, live
from hub.core.database import db, transaction
from hub.notifications import kinds, service
from hub.notifications.models import Notification

from .factories import KIND, last, make_notification


def told(user):
    rows = db.session.scalars(
        select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    )
    return list(rows)


def words(row):
    return kinds.lines([row])[0].text


@pytest.fixture
def rung(monkeypatch, partner):
    """Announcements that went out, as (room, event, payload); the partner has a page open."""
    heard = []
    monkeypatch.setattr(live, "_listeners", {"socket": partner.id})
    monkeypatch.setattr(live.socketio, "emit", lambda event, payload, to: heard.append((to, event, payload)))
    return heard


def test_everyone_has_a_number_of_their_own(partner, agent, manager):
    with transaction():
        for number in range(2):
            service.notify([partner], KIND.name, {"author": "A", "subject": "S"}, f"/tickets/{number}")
        service.notify([agent], KIND.name, {"author": "A", "subject": "S"}, "/tickets/1")
    users = [partner.id, agent.id, manager.id]
    assert service.unread_counts(users) == dict(zip(users, (2, 1, 0), strict=True))


def test_everyone_is_told_once(partner, agent):
    with transaction():
        service.notify([partner, agent, partner], KIND.name, {"author": "A", "subject": "S"}, "/tickets/1")
    assert [(row.user_id, row.url) for row in told(partner) + told(agent)] == [
        (partner.id, "/tickets/1"),
        (agent.id, "/tickets/1"),
    ]


def test_a_disabled_person_is_not_told(partner):
    with transaction():
        partner.disabled_at = partner.created_at
        service.notify([partner], KIND.name, {"author": "A", "subject": "S"})
    assert told(partner) == []


def test_a_missing_parameter_fails_at_once_and_not_on_the_readers_page(partner):
    with pytest.raises(KeyError), transaction():
        service.notify([partner], KIND.name, {"author": "A"})
    assert told(partner) == []


def test_an_unregistered_kind_is_refused(partner):
    with pytest.raises(KeyError):
        service.notify([partner], "no_such_kind")


def test_a_kind_has_one_sentence():
    with pytest.raises(ValueError, match="test_reply"):
        kinds.register("test_reply", "Another")


def test_the_words_follow_the_reader_not_the_writer(partner, monkeypatch):
    spoken = {"en": "%(sum)s paid", "pl": "Wypłacono %(sum)s"}
    text = i18n.LazyProxy(lambda: spoken[i18n.locale()], enable_cache=False)
    kind = kinds.Kind("paid", text, present=lambda p: {"sum": i18n.money(p["minor"], p["currency"])})
    monkeypatch.setitem(kinds._kinds, "paid", kind)
    with transaction():
        service.notify([partner], "paid", {"minor": 87000, "currency": "PLN"})
    row = last(partner)
    with i18n.speaking("pl"):
        assert words(row).replace("\xa0", " ") == "Wypłacono 870,00 zł"
    with i18n.speaking("en"):
        assert words(row).replace("\xa0", " ") == "870.00 zł paid"


def test_a_row_of_a_room_that_is_gone_is_still_shown(partner):
    with transaction():
        db.session.add(Notification(user_id=partner.id, kind="gone", params={}, url="/"))
    assert "no longer part" in words(told(partner)[0])


def test_the_bell_rings_after_the_commit_with_the_new_count(partner, rung):
    with transaction():
        make_notification(partner)
        make_notification(partner)
        assert rung == []
    assert rung[-1] == (f"user:{partner.id}", "bell", {"count": 2})


def test_a_failed_transaction_tells_nobody(partner, rung):
    with pytest.raises(RuntimeError), transaction():  # noqa: PT012
        make_notification(partner)
        raise RuntimeError
    assert rung == []
    assert told(partner) == []


def test_reading_counts_down_and_is_remembered_once(partner, rung):
    with transaction():
        first, second = make_notification(partner), make_notification(partner)
    with transaction():
        service.mark_read(first)
    seen_at = first.read_at
    with transaction():
        service.mark_read(first)
    assert first.read_at == seen_at
    assert service.unread_count(partner) == 1
    assert rung[-1] == (f"user:{partner.id}", "bell", {"count": 1})
    assert second.read_at is None


def test_reading_all_leaves_others_alone(partner, other_partner):
    with transaction():
        make_notification(partner)
        make_notification(other_partner)
    with transaction():
        assert service.mark_all_read(partner) == 1
    assert (service.unread_count(partner), service.unread_count(other_partner)) == (0, 1)


def test_what_was_seen_on_its_page_is_read(partner):
    with transaction():
        make_notification(partner, url="/tickets/7")
        make_notification(partner, url="/tickets/8")
    with transaction():
        service.mark_read_at(partner, "/tickets/7")
    assert [row.url for row in told(partner) if row.read_at is None] == ["/tickets/8"]


def test_the_count_stops_at_a_hundred(partner):
    with transaction():
        db.session.add_all(
            [Notification(user_id=partner.id, kind=KIND.name, params={}, url="") for _ in range(130)]
        )
    assert service.unread_count(partner) == 100
