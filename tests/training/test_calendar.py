"""The calendar file: what RFC 5545 asks for, and what calendars do with a second one."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from hub.core import clock
from hub.core.database import transaction
from hub.training import service

from .factories import make_registration, make_webinar
from .test_seats import as_given

NASTY = "Продажі; купони, «знижки» \\ та більше:\nдругий рядок із дуже довгою назвою, яка не вміщується в сімдесят п’ять октетів"


@pytest.fixture
def webinar(app):
    with transaction():
        return make_webinar(title=NASTY, language="uk")


def fetch(browse, user, webinar):
    answer = browse(user).get(f"/training/webinars/{webinar.id}/calendar.ics")
    assert answer.status_code == 200
    return answer


def event(answer):
    (found,) = Calendar.from_ical(answer.data).walk("VEVENT")
    return found


def test_the_file_keeps_to_the_standard(browse, partner, webinar):
    answer = fetch(browse, partner, webinar)
    lines = answer.data.split(b"\r\n")
    assert answer.content_type == "text/calendar; charset=utf-8; method=PUBLISH"
    assert lines[-1] == b""
    assert b"\n" not in answer.data.replace(b"\r\n", b"")  # every line ends with CRLF (3.1)
    assert max(len(line) for line in lines) <= 75  # octets, folded (3.1)
    assert lines[0] == b"BEGIN:VCALENDAR"
    for wanted in (b"VERSION:2.0", b"METHOD:PUBLISH", b"BEGIN:VEVENT", b"END:VEVENT", b"END:VCALENDAR"):
        assert wanted in lines
    for line in lines:
        line.decode()  # folding splits no character
    unfolded = answer.data.replace(b"\r\n ", b"").decode()
    assert "SUMMARY:Продажі\\; купони\\, «знижки» \\\\ та більше:\\nдругий" in unfolded


def test_it_reads_back_as_what_was_planned(browse, partner, webinar):
    found = event(fetch(browse, partner, webinar))
    assert str(found["SUMMARY"]) == NASTY
    assert found.decoded("DTSTART") == webinar.starts_at
    assert found.decoded("DTEND") == webinar.ends_at
    assert found["DTSTART"].to_ical().endswith(b"Z")  # UTC needs no VTIMEZONE (3.3.5)
    assert found.decoded("DTSTAMP").tzinfo is not None
    assert found["STATUS"] == "CONFIRMED"
    assert found["URL"] == f"http://127.0.0.1:8000/training/webinars/{webinar.id}"
    assert [str(alarm["ACTION"]) for alarm in found.walk("VALARM")] == ["DISPLAY"]


def test_an_edit_raises_the_sequence_and_keeps_the_identity(browse, partner, manager, webinar):
    before = event(fetch(browse, partner, webinar))
    given = as_given(webinar)
    with clock.frozen(datetime.now(UTC) + timedelta(minutes=5)), transaction():
        service.change(webinar, manager, **given | {"starts": given["starts"] + timedelta(hours=1)})
    after = event(fetch(browse, partner, webinar))
    assert after["UID"] == before["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after.decoded("DTSTAMP") > before.decoded("DTSTAMP")
    assert after.decoded("DTSTART") - before.decoded("DTSTART") == timedelta(hours=1)


def test_a_cancelled_one_takes_itself_out(browse, partner, manager, webinar):
    with transaction():
        service.call_off(webinar, manager)
    found = event(fetch(browse, partner, webinar))
    assert (found["STATUS"], found["SEQUENCE"]) == ("CANCELLED", 1)
    assert found.walk("VALARM") == []


def test_two_webinars_have_two_identities(browse, partner, webinar):
    with transaction():
        second = make_webinar()
    first_uid, second_uid = (event(fetch(browse, partner, each))["UID"] for each in (webinar, second))
    assert first_uid != second_uid


def test_the_join_link_is_only_in_the_file_of_those_with_a_seat(
    browse, partner, other_partner, agent, webinar
):
    with transaction():
        make_registration(webinar, partner)
        make_registration(webinar, agent, "waitlisted")
    plain = [
        b"".join(fetch(browse, user, webinar).data.split(b"\r\n "))
        for user in (partner, other_partner, agent)
    ]
    assert [b"secret-room" in each for each in plain] == [True, False, False]
