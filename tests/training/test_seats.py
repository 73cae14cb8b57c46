"""Seats: never more than there are, and the first who waits is the first to move up."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.accounts.models import User
from hub.core import clock
from hub.core.database import db, transaction
from hub.core.errors import Invalid
from hub.core.mail import MailMessage
from hub.notifications.models import Notification
from hub.training import service
from hub.training.models import Registration, RegistrationStatus, Webinar
from tests.factories import make_user

from .factories import make_registration, make_webinar

S = RegistrationStatus


def status_of(webinar, user):
    db.session.expire_all()
    return service.registration_of(webinar, user).status


def told(user):
    return [
        row.kind
        for row in db.session.scalars(
            select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
        )
    ]


def letters(user):
    return [
        row.template
        for row in db.session.scalars(
            select(MailMessage).where(MailMessage.address == user.email).order_by(MailMessage.id)
        )
    ]


@pytest.fixture
def webinar(app):
    with transaction():
        return make_webinar(capacity=1)


def test_a_seat_comes_with_a_notification_and_a_mail(partner, webinar):
    with transaction():
        service.register(webinar, partner)
    assert status_of(webinar, partner) is S.REGISTERED
    assert told(partner) == ["webinar_registered"]
    assert letters(partner) == ["training/mail/registered"]


def test_registering_twice_is_registering_once(partner, webinar):
    for _time in range(2):
        with transaction():
            service.register(webinar, partner)
    assert service.seats_taken(webinar) == 1
    assert letters(partner) == ["training/mail/registered"]


def test_who_comes_too_late_waits_and_moves_up(partner, other_partner, agent, webinar):
    for user in (partner, other_partner, agent):
        with transaction():
            service.register(webinar, user)
    assert (status_of(webinar, other_partner), status_of(webinar, agent)) == (S.WAITLISTED, S.WAITLISTED)
    assert service.place_in_line(service.registration_of(webinar, agent)) == 2
    with transaction():
        service.unregister(webinar, partner)
    assert (status_of(webinar, other_partner), status_of(webinar, agent)) == (S.REGISTERED, S.WAITLISTED)
    assert told(other_partner) == ["webinar_promoted"]
    assert letters(other_partner) == ["training/mail/promoted"]
    assert told(agent) == []


def test_who_comes_back_is_last_in_line(partner, other_partner, agent, webinar):
    with transaction():
        make_registration(webinar, agent)
    for user in (partner, other_partner):
        with transaction():
            service.register(webinar, user)
    with transaction():
        service.unregister(webinar, partner)
    with transaction():
        service.register(webinar, partner)
    assert service.place_in_line(service.registration_of(webinar, partner)) == 2


def test_leaving_the_list_moves_nobody(partner, other_partner, agent, webinar):
    for user in (partner, other_partner, agent):
        with transaction():
            service.register(webinar, user)
    with transaction():
        service.unregister(webinar, other_partner)
    assert status_of(webinar, agent) is S.WAITLISTED


def test_more_seats_let_those_who_wait_in(partner, other_partner, manager, webinar):
    for user in (partner, other_partner):
        with transaction():
            service.register(webinar, user)
    with transaction():
        service.change(webinar, manager, **as_given(webinar, capacity=2))
    assert status_of(webinar, other_partner) is S.REGISTERED


def test_seats_that_are_taken_cannot_be_taken_away(partner, other_partner, manager):
    with transaction():
        webinar = make_webinar(capacity=5)
        make_registration(webinar, partner)
        make_registration(webinar, other_partner)
    with pytest.raises(Invalid) as refused, transaction():
        service.change(webinar, manager, **as_given(webinar, capacity=1))
    assert "2 seats" in str(refused.value.errors["capacity"])


@pytest.mark.parametrize(
    "values", [{"in_hours": -3, "status": "done"}, {"in_hours": -3}, {"status": "cancelled"}]
)
def test_nobody_registers_for_what_is_over_or_cancelled(partner, values):
    with transaction():
        webinar = make_webinar(**values)
    with pytest.raises(service.WebinarClosed), transaction():
        service.register(webinar, partner)
    assert service.registration_of(webinar, partner) is None


def test_twenty_at_once_get_the_seats_there_are(app):
    with transaction():
        webinar = make_webinar(capacity=7)
        people = [make_user().id for _n in range(20)]
    failures = at_once(app, people, service.register, webinar.id)
    assert failures == []
    statuses = list(
        db.session.scalars(select(Registration.status).where(Registration.webinar_id == webinar.id))
    )
    assert (statuses.count(S.REGISTERED), statuses.count(S.WAITLISTED)) == (7, 13)


def test_one_person_pressing_twenty_times_has_one_place(app, partner):
    with transaction():
        webinar = make_webinar(capacity=7)
    failures = at_once(app, [partner.id] * 20, service.register, webinar.id)
    assert failures == []
    assert service.seats_taken(webinar) == 1


def test_leaving_all_at_once_fills_every_seat_again(app):
    with transaction():
        webinar = make_webinar(capacity=8)
        seated = [make_user().id for _n in range(8)]
        for user_id in seated:
            make_registration(webinar, db.session.get(User, user_id))
        for _n in range(10):
            make_registration(webinar, make_user(), S.WAITLISTED)
    assert at_once(app, seated, service.unregister, webinar.id) == []
    assert (service.seats_taken(webinar), service.waiting_count(webinar)) == (8, 2)


def at_once(app, user_ids, act, webinar_id):
    """Run `act(webinar, user)` for every user in a thread of its own, all released together; what went wrong."""
    gate, failures = threading.Barrier(len(user_ids)), []

    def run(user_id):
        with app.app_context():
            try:
                gate.wait(timeout=120)
                with transaction() as session:
                    act(session.get(Webinar, webinar_id), session.get(User, user_id))
            except Exception as error:
                failures.append(repr(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(user_id,)) for user_id in user_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    db.session.rollback()
    db.session.expire_all()
    return failures


def as_given(webinar, **changes):
    """What the form would send to leave the webinar as it is."""
    names = [
        "title",
        "description",
        "language",
        "zone",
        "host",
        "host_about",
        "capacity",
        "join_url",
        "recording_url",
        "links",
        "minutes",
    ]
    local = webinar.starts_at.astimezone(service.ZoneInfo(webinar.zone)).replace(tzinfo=None)
    return {name: getattr(webinar, name) for name in names} | {"starts": local} | changes


# --- Planning, telling, reminding ----------------------------------------------


def test_cancelling_tells_everyone_who_meant_to_come(partner, other_partner, agent, manager, webinar):
    for user in (partner, other_partner):
        with transaction():
            service.register(webinar, user)
    for _time in range(2):
        with transaction():
            service.call_off(webinar, manager)
    assert told(partner)[-1] == told(other_partner)[-1] == "webinar_called_off"
    assert letters(partner).count("training/mail/called_off") == 1
    assert told(agent) == []


def test_what_is_over_cannot_be_cancelled(manager):
    with transaction():
        webinar = make_webinar(in_hours=-5, status="done")
    with pytest.raises(service.AlreadyHappened), transaction():
        service.call_off(webinar, manager)


def test_a_new_time_is_told_and_reminds_again(partner, manager, webinar):
    with transaction():
        make_registration(webinar, partner, day_reminder_at=clock.now(), hour_reminder_at=clock.now())
    given = as_given(webinar)
    with transaction():
        service.change(webinar, manager, **given | {"starts": given["starts"] + timedelta(days=7)})
    assert told(partner) == ["webinar_moved"]
    registration = service.registration_of(webinar, partner)
    assert (registration.day_reminder_at, registration.hour_reminder_at) == (None, None)
    assert webinar.sequence == 1


def test_saving_without_a_change_tells_nobody(partner, manager, webinar):
    with transaction():
        make_registration(webinar, partner)
    with transaction():
        service.change(webinar, manager, **as_given(webinar))
    assert (told(partner), webinar.sequence) == ([], 0)


def test_the_recording_is_told_once(partner, manager):
    with transaction():
        webinar = make_webinar(in_hours=-30, status="done")
        make_registration(webinar, partner, S.ATTENDED)
    for url in ("https://video.example/1", "https://video.example/2"):
        with transaction():
            service.change(webinar, manager, **as_given(webinar, recording_url=url))
    assert told(partner) == ["webinar_recorded"]


def reminders(*, left):
    """How many were reminded with this much time left, in two runs one after the other."""
    with transaction():
        first = service.remind()
    with transaction():
        assert service.remind() == 0
    return first


def test_reminders_come_once_a_day_and_once_an_hour_before(partner, other_partner, app):
    with transaction():
        webinar = make_webinar(in_hours=60)
        make_registration(webinar, partner)
        make_registration(webinar, other_partner, S.WAITLISTED)
    for hours, expected in ((36, 0), (23.9, 1), (5, 0), (0.9, 1), (0.1, 0)):
        with clock.frozen(webinar.starts_at - timedelta(hours=hours)):
            assert reminders(left=hours) == expected, hours
    assert letters(partner) == ["training/mail/reminder"] * 2
    assert letters(other_partner) == []


def test_a_bad_address_keeps_the_reminder_from_nobody_else(partner, app):
    with transaction():
        webinar = make_webinar(in_hours=5)
        make_registration(webinar, make_user(email="bad address"))
        make_registration(webinar, partner)
    assert reminders(left=5) == 2
    assert letters(partner) == ["training/mail/reminder"]


def test_who_registers_late_is_not_reminded_at_once(partner, app):
    with transaction():
        webinar = make_webinar(in_hours=5)
        service.register(webinar, partner)
    assert reminders(left=5) == 0
    with clock.frozen(webinar.starts_at - timedelta(minutes=50)):
        assert reminders(left=1) == 1


def test_a_cancelled_webinar_reminds_nobody(partner, manager, webinar):
    with transaction():
        make_registration(webinar, partner)
        service.call_off(webinar, manager)
    with clock.frozen(webinar.starts_at - timedelta(minutes=30)):
        assert reminders(left=0.5) == 0


def test_what_has_ended_is_done(app):
    with transaction():
        over, ahead = make_webinar(in_hours=-2), make_webinar()
    with transaction():
        assert service.finish() == 1
    db.session.expire_all()
    assert (over.status, ahead.status) == ("done", "scheduled")


def test_attendance_is_marked_and_unmarked(partner, other_partner, manager):
    with transaction():
        webinar = make_webinar(in_hours=-2)
        came = make_registration(webinar, partner)
        make_registration(webinar, other_partner)
    with transaction():
        assert service.mark_attendance(webinar, manager, [came.id, 999]) == 1
    assert (status_of(webinar, partner), status_of(webinar, other_partner)) == (S.ATTENDED, S.REGISTERED)
    with transaction():
        assert service.mark_attendance(webinar, manager, []) == 0
    assert status_of(webinar, partner) is S.REGISTERED
