"""Sequences: whoever something happens to gets each step once, at their hour, until it no longer holds."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.earnings.models import Attribution, Conversion
from hub.newsletters import claims, consent, drafts, moving, sequences, steering
from hub.newsletters.checks import NotReady
from hub.newsletters.journal import Journal
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status, Topic
from hub.newsletters.models_sequences import Sequence, SequenceEntry, Trigger
from hub.partners import service
from hub.partners.models import PartnerStatus
from tests.factories import make_member, make_partner
from tests.smtp import Sink

from .factories import ENGLISH

START = datetime(2026, 11, 2, 6, 55, tzinfo=UTC)


@pytest.fixture
def sink(app, monkeypatch):
    with Sink() as sink:
        monkeypatch.setattr(app.extensions["hub.settings"], "mail_url", sink.url)
        yield sink


@pytest.fixture
def begun(manager, cast):
    """`begun(trigger, (days, hour), …)`: a sequence of so many steps, switched on at START; the cast has long been there."""

    def begun(trigger, *times, everyone=False, topic=Topic.PRODUCT):
        with clock.frozen(START), transaction():
            for each in (cast.acme, cast.other_org):
                each.joined_at = START - timedelta(days=400)
            for each in (cast.partner, cast.other_partner):
                each.last_seen_at = START - timedelta(days=50)
            sequence = sequences.create(manager, "S", trigger, topic)
            for number, (days, hour) in enumerate(times, 1):
                text = ENGLISH | {"subject": f"Step {number}"}
                sequences.add_step(sequence, manager, days=days, hour=hour, contents=[text])
            sequences.switch_on(sequence, manager, everyone=everyone)
        return sequence.id

    return begun


def at(when):
    """What a minute of the worker does at that moment."""
    with clock.frozen(START + when):
        jobs.run("newsletters.sequences")
        jobs.run("newsletters.send")


def newcomer(when, number=1, **person):
    with clock.frozen(START + when), transaction():
        return make_member(make_partner(), email=f"new{number}@example.org", **person)


def rows():
    db.session.rollback()
    found = db.select(Newsletter.position, Delivery.address, Delivery.state).join(Delivery.newsletter)
    return [tuple(each) for each in db.session.execute(found.order_by(Delivery.id))]


def entries():
    db.session.rollback()
    return list(db.session.scalars(db.select(SequenceEntry).order_by(SequenceEntry.id)))


def add_sale(partner, moment):
    what = {"source": "s", "external_id": partner.code, "amount_minor": 1, "currency": "EUR", "product": "x"}
    sale = Conversion(partner_id=partner.id, occurred_at=moment, attribution=Attribution.COUPON, **what)
    db.session.add(sale)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_who_is_approved_gets_each_step_once_and_who_was_before_none(begun, sink, manager):
    begun(Trigger.APPROVED, (0, None), (3, None))
    at(HOUR)
    assert sink.recipients == []
    newcomer(HOUR)
    for when in (HOUR, HOUR, 3 * DAY, 4 * DAY):
        at(when)
    sent = DeliveryState.SENT
    assert rows() == [(1, "new1@example.org", sent), (2, "new1@example.org", sent)]
    assert sink.recipients == ["new1@example.org"] * 2
    assert [each.reason for each in entries()] == ["done"]
    assert {each.status for each in db.session.scalars(db.select(Newsletter))} == {Status.SENDING}


def test_everyone_from_before_comes_in_only_if_asked_for_and_by_the_worker(
    begun, sink, browse, manager, monkeypatch
):
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    number = begun(Trigger.APPROVED, (0, None), everyone=True)
    assert entries() == [], "not while somebody waits for the page"
    with clock.frozen(START), transaction():
        moving.move(moving.locked(number))  # killed after this: it goes on where it was
    assert len(entries()) == 1
    desk, under_way = browse(manager), "is being brought in"
    assert under_way in desk.get(f"/newsletters/sequences/{number}").text
    at(HOUR)
    at(2 * HOUR)
    assert sorted(sink.recipients) == ["other@example.org", "partner@example.org"]
    assert under_way not in desk.get(f"/newsletters/sequences/{number}").text


def test_a_step_waits_for_the_hour_where_its_reader_lives(begun, sink):
    begun(Trigger.APPROVED, (0, 9))
    newcomer(timedelta(), 1, time_zone="Europe/Warsaw")  # 7:55 there: today
    newcomer(timedelta(), 2, time_zone="Asia/Almaty")  # 11:55 there: tomorrow
    at(HOUR)
    at(2 * HOUR)
    assert sink.recipients == ["new1@example.org"]
    assert [each.next_at - START for each in entries()] == [timedelta(minutes=65), timedelta(minutes=1265)]
    step = Newsletter(delay_days=2, local_hour=9)
    due = moving.turn(datetime(2026, 3, 27, 8, tzinfo=UTC), step, "Europe/Warsaw")
    assert due == datetime(2026, 3, 29, 7, tzinfo=UTC), "nine o’clock stays nine when the clocks change"


def test_a_worker_that_dies_between_claim_and_sending_costs_nobody_a_step_or_two(begun, sink):
    begun(Trigger.APPROVED, (0, None))
    newcomer(timedelta())
    with clock.frozen(START):
        jobs.run("newsletters.sequences")
        dead = Journal()
        step = db.session.scalar(db.select(Newsletter))
        assert len(claims.claim(step.id, step.topic, dead.name, 50)) == 1
        os.close(dead.file)  # as the system does for whoever it kills
        db.session.rollback()
        assert rows() == [(1, "new1@example.org", DeliveryState.CLAIMED)]
        jobs.run("newsletters.send")
        jobs.run("newsletters.send")
    assert sink.recipients == ["new1@example.org"]


def test_silence_ends_with_a_sign_in_and_may_begin_anew(begun, sink, cast):
    begun(Trigger.SILENT, (0, None), (5, None))
    with transaction():
        cast.other_org.status = PartnerStatus.SUSPENDED
    at(9 * DAY)
    assert sink.recipients == [], "59 days"
    at(10 * DAY)
    assert sink.recipients == ["partner@example.org"]
    with transaction():
        cast.partner.last_seen_at = START + 12 * DAY
    with transaction():  # as where the mail server has been away
        db.session.execute(db.update(Delivery).values(state=DeliveryState.PENDING))
    at(15 * DAY)
    assert rows() == [(1, "partner@example.org", DeliveryState.SUPPRESSED)], "what waits is not sent either"
    at(70 * DAY)
    assert [each.reason for each in entries()] == ["active"]
    assert len(sink.recipients) == 1
    at(73 * DAY)
    at(78 * DAY)
    assert [(position, state.value) for position, _address, state in rows()] == [
        (1, "suppressed"),
        (1, "sent"),
        (2, "sent"),
    ]
    assert [each.reason for each in entries()] == ["active", "done"]


def test_a_sale_within_the_silence_of_which_a_file_tells_later_ends_it(begun, sink, cast):
    begun(Trigger.SILENT, (0, None), (5, None))
    at(10 * DAY)
    assert len(sink.recipients) == 2
    with clock.frozen(START + 11 * DAY), transaction():
        add_sale(cast.acme, START + 9 * DAY)
        add_sale(cast.other_org, START - 300 * DAY)
    at(16 * DAY)
    assert sorted(each.reason for each in entries()) == ["active", "done"]
    assert len(sink.recipients) == 3


def test_who_closes_or_declines_leaves_and_the_ledger_says_why(begun, sink, browse, agent):
    begun(Trigger.APPROVED, (1, None))
    newcomer(timedelta(), 1)
    closed = newcomer(timedelta(), 2)
    at(HOUR)
    with transaction():
        consent.opt_out("new1@example.org", Topic.PRODUCT)
        db.session.merge(closed).disabled_at = clock.now()
    at(2 * DAY)
    assert sink.recipients == []
    assert rows() == [(1, "new1@example.org", DeliveryState.SUPPRESSED)]
    assert [each.reason for each in entries()] == ["topic", "gone"]
    code = db.session.scalar(db.text("SELECT code FROM partner ORDER BY id DESC LIMIT 1 OFFSET 1"))
    page = browse(agent).get(f"/newsletters/of/{code}").get_data(as_text=True)
    assert "Came into the sequence “S”" in page
    assert "It ended on" in page
    assert "Not sent to new1@example.org: this address has declined the topic." in page


def test_off_stops_it_in_the_middle_and_on_goes_on(begun, sink, manager, browse):
    number = begun(Trigger.APPROVED, (0, None), (1, None))
    newcomer(timedelta())
    at(HOUR)
    desk, where = browse(manager), f"/newsletters/sequences/{number}"
    step = db.session.scalar(db.select(Newsletter.id).where(Newsletter.position == 2))
    text = {"language": "en", "subject": "Changed", "preheader": "", "body": "New text"}
    assert desk.post(f"/newsletters/{step}/edit", data=text).status_code == 409
    for verb in ("cancel", "start", "discard"):
        assert desk.post(f"/newsletters/{step}/{verb}").status_code == 409
    with clock.frozen(START + 2 * HOUR):
        assert desk.post(f"{where}/off").status_code == 303
    newcomer(3 * HOUR, 2)
    at(2 * DAY)
    assert len(sink.recipients) == 1
    assert desk.post(f"/newsletters/{step}/start").status_code == 409, "a step is never sent to everybody"
    hole = text | {"body": "{partner.manager}"}
    desk.post(f"/newsletters/{step}/edit", data=hole)
    assert "may be empty" in desk.get(where).get_data(as_text=True)
    with pytest.raises(NotReady), transaction():
        sequences.switch_on(db.session.get(Sequence, number), manager)
    assert desk.post(f"/newsletters/{step}/edit", data=text).status_code == 303
    with clock.frozen(START + 2 * DAY):
        page = desk.get(where).get_data(as_text=True)
        assert "Bring in the 3 people, too" in page
        desk.post(f"{where}/on")
    at(2 * DAY + HOUR)
    assert sorted(sink.recipients) == ["new1@example.org"] * 2 + ["new2@example.org"], (
        "who came up meanwhile, too"
    )
    assert "Subject: Changed" in str(sink.raw[1:])
    with transaction():
        steering.pause(db.session.get(Newsletter, step))
    page = desk.get(f"{where}?who=new1@example.org").get_data(as_text=True)
    assert "All of it was sent by" in page


def test_what_waits_while_a_step_is_edited_is_filled_anew_and_not_sent_to_who_has_gone(begun, sink, manager):
    number = begun(Trigger.APPROVED, (0, None))
    newcomer(timedelta(), 1, name="Ada")
    closed = newcomer(timedelta(), 2)
    with clock.frozen(START + HOUR):
        jobs.run("newsletters.sequences")
        db.session.rollback()
        with transaction():
            sequences.switch_off(db.session.get(Sequence, number), manager)
            step = db.session.scalar(db.select(Newsletter))
            drafts.write(step, "en", subject="", preheader="", body="")
            drafts.write(step, "pl", subject="Hi", preheader="", body="To >{user.name}<")
            db.session.merge(closed).disabled_at = clock.now()
        with transaction():
            sequences.switch_on(db.session.get(Sequence, number), manager)
        jobs.run("newsletters.send")  # before the first round
    assert sink.recipients == ["new1@example.org"]
    assert "To >Ada<" in str(sink.raw)


def test_what_a_worker_takes_meanwhile_is_not_called_unsent(begun, monkeypatch):
    begun(Trigger.APPROVED, (0, None))
    closed = newcomer(timedelta())
    with clock.frozen(START):
        jobs.run("newsletters.sequences")
        db.session.rollback()
        with transaction():
            db.session.merge(closed).disabled_at = clock.now()

        def taken_first(model):
            if model is Delivery:
                db.session.execute(db.update(Delivery).values(state=DeliveryState.CLAIMED))
            return db.update(model)

        monkeypatch.setattr(moving, "update", taken_first)
        jobs.run("newsletters.sequences")
    assert rows() == [(1, "new1@example.org", DeliveryState.CLAIMED)]


def test_who_is_suspended_for_an_hour_goes_on(begun, sink):
    begun(Trigger.APPROVED, (0, None), (1, None))
    with clock.frozen(START), transaction():
        partner = make_partner()
        make_member(partner, email="new1@example.org")
    with clock.frozen(START):
        jobs.run("newsletters.sequences")  # the first step waits
    for when, status in ((HOUR, PartnerStatus.SUSPENDED), (2 * HOUR, PartnerStatus.ACTIVE)):
        db.session.rollback()
        with transaction():
            db.session.merge(partner).status = status
        at(when)
    at(2 * DAY)
    assert [state for _position, _address, state in rows()] == [DeliveryState.SENT] * 2
    assert [each.reason for each in entries()] == ["done"]


def test_whose_application_is_approved_days_later_comes_in(begun, sink, manager):
    begun(Trigger.APPROVED, (0, None))
    with clock.frozen(START - 50 * DAY), transaction():
        partner = make_partner(status=PartnerStatus.APPLIED)
        make_member(partner, email="new1@example.org")
    at(HOUR)
    assert sink.recipients == []
    with clock.frozen(START + DAY), transaction():
        service.change_status(db.session.merge(partner), PartnerStatus.ACTIVE, manager)
    at(2 * DAY)
    assert sink.recipients == ["new1@example.org"]


def test_a_first_sale_that_a_file_brings_weeks_later_counts_and_years_of_history_do_not(begun, sink, cast):
    begun(Trigger.FIRST_SALE, (0, None))
    with clock.frozen(START + 40 * DAY), transaction():
        for partner, when in ((cast.acme, 5 * DAY), (cast.other_org, -200 * DAY)):
            sale = {
                "source": "s",
                "external_id": partner.code,
                "amount_minor": 1,
                "currency": "EUR",
                "product": "x",
            }
            how = {"occurred_at": START + when, "attribution": Attribution.COUPON}
            db.session.add(Conversion(partner_id=partner.id, **sale, **how))
    at(40 * DAY)
    assert sink.recipients == ["partner@example.org"]


def test_a_full_week_costs_nobody_a_step(app, begun, sink, monkeypatch):
    monkeypatch.setattr(app.extensions["hub.settings"], "mail_weekly_budget", 1)
    for _each in range(2):
        begun(Trigger.APPROVED, (0, None))
    newcomer(timedelta())
    for day in range(9):
        at(day * DAY + HOUR)
    assert len(sink.recipients) == 2
    assert [state for _position, _address, state in rows()] == [DeliveryState.SENT] * 2


def test_no_step_overtakes_one_that_is_paused(begun, sink):
    begun(Trigger.APPROVED, (0, None), (1, None))
    with transaction():
        first = db.session.scalar(db.select(Newsletter).where(Newsletter.position == 1))
        steering.pause(first)
    newcomer(HOUR)
    for when in (HOUR, 2 * DAY):
        at(when)
    assert sink.recipients == []
    with transaction():
        steering.resume(db.session.merge(first), None)
    for when in (3 * DAY, 3 * DAY):
        at(when)
    assert [position for position, _address, _state in rows()] == [1, 2]
    assert len(sink.recipients) == 2


def test_a_step_whose_hour_has_passed_waits_for_the_next_and_a_zone_nobody_knows_stops_nobody(
    begun, sink, manager, monkeypatch
):
    monkeypatch.setattr(moving, "CHUNK", 1)
    number = begun(Trigger.APPROVED, (0, None), (1, 9))
    newcomer(timedelta(), 1, time_zone="Europe/Warsaw")
    newcomer(timedelta(), 2, time_zone="Not/AZone")
    at(HOUR)
    with clock.frozen(START + 2 * HOUR), transaction():
        sequences.switch_off(db.session.get(Sequence, number), manager)
    night = START + 10 * DAY + 19 * HOUR  # 2:55 in Warsaw
    with clock.frozen(night), transaction():
        sequences.switch_on(db.session.get(Sequence, number), manager)
    at(10 * DAY + 19 * HOUR)
    assert len(sink.recipients) == 2
    assert [each.next_at - night for each in entries()] == [timedelta(minutes=365)] * 2
    at(10 * DAY + 26 * HOUR)
    assert len(sink.recipients) == 4
