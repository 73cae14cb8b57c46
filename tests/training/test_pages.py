"""What partners and managers see of webinars."""

import csv
import io

import pytest
from sqlalchemy import select

from hub.core.database import db, transaction
from hub.training.models import Registration, WebinarQuestion
from tests.factories import make_user

from .factories import make_question, make_registration, make_webinar


@pytest.fixture
def webinar(app):
    with transaction():
        return make_webinar(capacity=2)


def test_times_are_the_readers_and_the_webinars(browse, partner):
    with transaction():
        partner.time_zone, partner.locale = "Asia/Almaty", "en"
        starts = make_webinar()
    browser = browse(partner)
    page = browser.get(f"/training/webinars/{starts.id}").text
    assert "your time, Almaty" in page
    assert "in Oslo" in page
    assert "data-countdown" in page
    assert starts.title in browser.get("/training/").text


def test_registering_and_giving_up_by_hand(browse, partner, webinar):
    browser, url = browse(partner), f"/training/webinars/{webinar.id}"
    assert "1 of" not in browser.get(url).text
    answer = browser.post(f"{url}/register", follow_redirects=True)
    assert "You have a seat" in answer.text
    assert "https://meet.example/secret-room" in answer.text
    assert "Registered" in browser.get("/training/").text
    answer = browser.post(f"{url}/unregister", follow_redirects=True)
    assert "You have a seat" not in answer.text


def test_the_join_link_is_for_those_with_a_seat(browse, partner, other_partner, agent, webinar):
    with transaction():
        make_registration(webinar, partner)
        make_registration(webinar, agent, "waitlisted")
    seen = [
        "secret-room" in browse(user).get(f"/training/webinars/{webinar.id}").text
        for user in (partner, other_partner, agent)
    ]
    assert seen == [True, False, False]
    assert "secret-room" not in browse(other_partner).get("/training/").text


def test_a_full_webinar_offers_the_waiting_list(browse, partner, webinar):
    with transaction():
        make_registration(webinar, make_user())
        make_registration(webinar, make_user())
    browser, url = browse(partner), f"/training/webinars/{webinar.id}"
    assert "Join the waiting list" in browser.get(url).text
    assert "place 1" in browser.post(f"{url}/register", follow_redirects=True).text


def test_a_cancelled_webinar_says_so_and_is_not_listed(browse, partner, manager, webinar):
    browse(manager).post(f"/training/webinars/{webinar.id}/call-off")
    browser = browse(partner)
    assert "This webinar is cancelled" in browser.get(f"/training/webinars/{webinar.id}").text
    assert webinar.title not in browser.get("/training/").text


def test_recordings_page_without_gap_or_repeat(browse, partner):
    with transaction():
        for n in range(20):
            make_webinar(
                in_hours=-100 - n, title=f"Talk {n:02d}.", status="done", recording_url="https://v.example/1"
            )
    browser, url, seen = browse(partner), "/training/", []
    while url:
        page = browser.get(url).text
        seen += [n for n in range(20) if f"Talk {n:02d}." in page]
        url = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == list(range(20))


def test_description_is_rendered_and_safe(browse, partner):
    with transaction():
        webinar = make_webinar(description="**Bold** <script>alert(1)</script>")
    page = browse(partner).get(f"/training/webinars/{webinar.id}").text
    assert "<strong>Bold</strong>" in page
    assert "<script>alert" not in page


def test_attendance_and_its_csv(browse, manager, partner, webinar):
    with transaction():
        nasty = make_user(name="=cmd|' /C calc'!A0", email="nasty@example.org")
        make_registration(webinar, nasty)
        mine = make_registration(webinar, partner)
    browser, url = browse(manager), f"/training/webinars/{webinar.id}/attendance"
    assert "Acme Media" in browser.get(url).text
    assert browser.post(url, data={"present": [mine.id]}).status_code == 303
    answer = browser.get(f"{url}.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[3] for row in rows[1:]] == ["registered", "attended"]
    assert rows[1][0] == "'=cmd|' /C calc'!A0"
    assert rows[2][:3] == ["Pat Partner", "partner@example.org", "Acme Media"]


def test_a_question_is_asked_wanted_and_answered(browse, partner, other_partner, manager, webinar):
    url = f"/training/webinars/{webinar.id}"
    browse(partner).post(f"{url}/questions", data={"text": "Will there be slides?"})
    question = db.session.scalars(select(WebinarQuestion)).one()
    other = browse(other_partner)
    other.post(f"/training/questions/{question.id}/vote")
    page = other.get(url).text
    assert "Vote, 2 votes" in page
    assert 'aria-pressed="true"' in page
    other.post(f"/training/questions/{question.id}/vote")
    assert "Vote, 1 vote" in other.get(url).text
    browse(manager).post(f"/training/questions/{question.id}/answer", data={"text": "Yes, the same day."})
    assert "Yes, the same day." in other.get(url).text
    assert "has an answer" in browse(partner).get("/notifications/").text


def test_the_most_wanted_comes_first_and_an_empty_one_is_refused(browse, partner, webinar):
    with transaction():
        make_question(webinar, partner, "Second?", votes=1)
        make_question(webinar, partner, "First?", votes=9)
    browser, url = browse(partner), f"/training/webinars/{webinar.id}"
    page = browser.get(url).text
    assert page.index("First?") < page.index("Second?")
    assert browser.post(f"{url}/questions", data={"text": "  "}).status_code == 422


def test_registrations_of_others_are_not_shown(browse, partner, other_partner, webinar):
    with transaction():
        make_registration(webinar, other_partner)
    assert "Otto Other" not in browse(partner).get(f"/training/webinars/{webinar.id}").text
    assert db.session.scalars(select(Registration)).one().user_id == other_partner.id
