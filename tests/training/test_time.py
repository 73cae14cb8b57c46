"""The clock of a webinar's zone: summer time, hours that do not exist, times that have passed."""

from datetime import UTC, datetime

import pytest

from hub.core import clock, timezones
from hub.core.errors import Invalid
from hub.training import service


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2026-11-26 13:00", "Europe/Kyiv", "2026-11-26 11:00"),
        ("2027-07-01 13:00", "Europe/Kyiv", "2027-07-01 10:00"),
        ("2027-07-01 13:00", "Asia/Almaty", "2027-07-01 08:00"),
        # 2026-10-25 02:30 happens twice in Berlin; the first is in summer time.
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25 00:30"),
        ("2027-03-28 03:00", "Europe/Berlin", "2027-03-28 01:00"),
    ],
)
def test_wall_time_becomes_a_moment(local, zone, utc):
    assert service.moment(datetime.fromisoformat(local), zone) == datetime.fromisoformat(utc).replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("local", "zone"),
    [
        ("2027-03-28 02:30", "Europe/Berlin"),
        ("2027-03-28 02:00", "Europe/Warsaw"),
        ("2027-03-28 03:30", "Europe/Kyiv"),
        ("2027-03-28 01:15", "Europe/London"),
    ],
)
def test_an_hour_that_is_skipped_is_refused_with_its_reason(app, local, zone):
    with pytest.raises(Invalid) as refused:
        service.moment(datetime.fromisoformat(local), zone)
    (text,) = refused.value.errors["starts_at"]
    assert local[-5:] in text
    assert timezones.city(zone) in text


def form(**changes):
    return {
        "title": "Reading your numbers", "description": "Why.", "language": "pl", "starts_at": "2027-03-30T10:00",
        "zone": "Europe/Warsaw", "minutes": "45", "host": "Tomasz", "capacity": "40",
    } | changes  # fmt: skip


def test_a_manager_plans_in_a_chosen_zone(browse, manager):
    browser = browse(manager)
    answer = browser.post("/training/webinars", data=form(zone="Asia/Almaty"))
    assert answer.status_code == 303
    (seen,) = service.coming(manager)
    assert seen.webinar.starts_at == datetime(2027, 3, 30, 5, tzinfo=UTC)
    assert seen.webinar.minutes == 45
    again = browser.get(f"{answer.location}/edit").text
    assert 'value="2027-03-30T10:00"' in again


def test_a_skipped_hour_is_said_beside_the_field_and_the_input_kept(browse, manager):
    answer = browse(manager).post("/training/webinars", data=form(starts_at="2027-03-28T02:30"))
    assert answer.status_code == 422
    assert "There is no 02:30 on that day in Warsaw" in answer.text
    assert "Reading your numbers" in answer.text
    assert service.coming(manager) == []


def test_a_time_that_has_passed_is_refused(browse, manager):
    answer = browse(manager).post("/training/webinars", data=form(starts_at="2020-03-30T10:00"))
    assert answer.status_code == 422
    assert "already passed" in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe/Nowhere"}, {"capacity": "0"}, {"minutes": "0"}, {"language": "de"}, {"title": ""},
        {"starts_at": "soon"}, {"join_url": "javascript:alert(1)"}, {"links": "slides without an address"},
    ],
)  # fmt: skip
def test_wrong_input_creates_nothing(browse, manager, wrong):
    assert browse(manager).post("/training/webinars", data=form(**wrong)).status_code == 422
    assert service.coming(manager) == []


def test_past_webinars_can_be_edited_as_long_as_their_time_stays(browse, manager, partner):
    with clock.frozen(datetime(2027, 3, 1, tzinfo=UTC)):
        url = browse(manager).post("/training/webinars", data=form()).location
    with clock.frozen(datetime(2027, 5, 1, tzinfo=UTC)):
        browser = browse(manager)
        with_recording = form(
            recording_url="https://video.example/1", links="Slides https://files.example/a.pdf"
        )
        assert browser.post(f"{url}/edit", data=with_recording).status_code == 303
        page = browse(partner).get(url).text
        assert browse(manager).post(f"{url}/edit", data=form(starts_at="2027-04-01T10:00")).status_code == 422
    assert "https://video.example/1" in page
    assert "https://files.example/a.pdf" in page
