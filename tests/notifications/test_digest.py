"""What is not read is mailed once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.core.mail import MailMessage
from hub.notifications import digest, service

from ..factories import make_user
from .factories import KIND, last, make_notification


def mails():
    return list(db.session.scalars(select(MailMessage)))


@pytest.fixture
def an_hour_ago(partner):
    """The partner was told about orders 1, 2 and 3, and has read about 2."""
    with transaction():
        rows = [make_notification(partner, subject=f"Order {n}", url=f"/tickets/{n}") for n in (1, 2, 3)]
        for row in rows:
            row.created_at = clock.now() - timedelta(hours=1)
        service.mark_read(rows[1])
    return rows


def test_one_mail_names_what_waits_and_leads_there(partner, an_hour_ago):
    jobs.run("notifications.mail")
    (mail,) = mails()
    assert (mail.address, mail.subject) == (partner.email, "2 notifications wait for you")
    assert "Order 1" in mail.text
    assert "Order 2" not in mail.text
    assert "http://127.0.0.1:8000/tickets/3" in mail.html


def test_it_is_mailed_once(partner, an_hour_ago):
    jobs.run("notifications.mail")
    jobs.run("notifications.mail")
    assert len(mails()) == 1


def test_the_mail_speaks_the_readers_language(partner, an_hour_ago, monkeypatch):
    with transaction():
        partner.locale = "uk"
    jobs.run("notifications.mail")
    assert mails()[0].locale == "uk"


def test_what_is_new_waits(partner):
    with transaction():
        make_notification(partner)
    jobs.run("notifications.mail")
    assert mails() == []


def test_what_its_room_has_mailed_is_not_mailed_again(partner):
    with transaction():
        params = {"author": "A", "subject": "S"}
        service.notify([partner], KIND.name, params, by_mail=False)
        last(partner).created_at = clock.now() - timedelta(hours=1)
    jobs.run("notifications.mail")
    assert mails() == []


def test_who_does_not_want_mail_gets_none(partner, an_hour_ago, browse):
    answer = browse(partner).post("/notifications/settings", data={"csrf_token": ""})
    assert answer.status_code == 303
    jobs.run("notifications.mail")
    assert mails() == []


def test_changing_ones_mind_brings_later_mail_only(partner, an_hour_ago, browse):
    browser = browse(partner)
    browser.post("/notifications/settings", data={"csrf_token": ""})
    jobs.run("notifications.mail")
    browser.post("/notifications/settings", data={"by_mail": "y"})
    jobs.run("notifications.mail")
    assert mails() == []


def test_a_disabled_person_gets_none(partner, an_hour_ago):
    with transaction():
        partner.disabled_at = clock.now()
    jobs.run("notifications.mail")
    assert mails() == []


def test_a_long_list_is_cut_and_counted(partner):
    with transaction():
        for n in range(14):
            make_notification(partner, subject=f"Order {n}").created_at = clock.now() - timedelta(hours=1)
    jobs.run("notifications.mail")
    assert mails()[0].text.count("Order") == 10
    assert "And 4 more." in mails()[0].text


@pytest.fixture
def an_address_that_breaks(app):
    """Somebody from before addresses were checked, with something to read; first in every list."""
    with transaction():
        user = make_user(email="bad address")
        make_notification(user).created_at = clock.now() - timedelta(hours=1)
    return user


def test_a_bad_address_holds_up_nobody_and_is_not_met_again(an_address_that_breaks, an_hour_ago, partner):
    jobs.run("notifications.mail")
    assert [mail.address for mail in mails()] == [partner.email]
    assert digest.people_to_mail() == []


def test_a_database_that_is_away_is_nobodys_fault(an_hour_ago, monkeypatch):
    def fail(_user_id):
        raise OperationalError("UPDATE", None, Exception("gone"))

    with monkeypatch.context() as away:
        away.setattr(digest, "mail_what_waits", fail)
        with pytest.raises(OperationalError):
            jobs.run("notifications.mail")
    jobs.run("notifications.mail")
    assert len(mails()) == 1
