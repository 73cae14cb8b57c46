"""One response per invitation, whatever is pressed how often; and nothing leads from answers to people."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hub.accounts.models import User
from hub.core import clock
from hub.core.database import db, transaction
from hub.surveys import service
from hub.surveys.models import Answer, Invitation, QuestionKind, Response, Survey
from tests.factories import make_user

from .factories import fields, invite, make_survey


@pytest.fixture
def survey(partner):
    with transaction():
        survey = make_survey()
        invite(survey, partner)
    return survey


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_answers_are_stored_once_and_the_survey_no_longer_waits(browse, partner, survey):
    browser = browse(partner)
    assert "How was the autumn?" in browser.get("/surveys/").text
    assert service.open_for(partner) == [survey]
    answer = browser.post(f"/surveys/{survey.id}", data=fields(survey))
    assert (answer.status_code, answer.location) == (303, f"/surveys/{survey.id}/thanks")
    assert "Thank you" in browser.get(answer.location).text
    assert service.open_for(partner) == []
    assert {(row.number, row.text) for row in db.session.scalars(select(Answer))} == {
        (9, None),
        (0, None),
        (None, "More banners"),
    }
    response = db.session.scalars(select(Response)).one()
    assert response.invitation.user_id == partner.id


def test_a_second_press_changes_nothing_and_is_thanked_too(browse, partner, survey):
    browser = browse(partner)
    browser.post(f"/surveys/{survey.id}", data=fields(survey))
    again = browser.post(f"/surveys/{survey.id}", data=fields(survey, scale="0"))
    assert again.status_code == 303
    assert count(Response) == 1
    assert (
        db.session.scalar(
            select(Answer.number).where(Answer.number == 0, Answer.question_id == survey.questions[0].id)
        )
        is None
    )
    assert browser.get(f"/surveys/{survey.id}").status_code == 302


@pytest.mark.parametrize("is_anonymous", [False, True])
def test_twenty_presses_at_once_are_one_response(app, partner, is_anonymous):
    with transaction():
        survey = make_survey(is_anonymous=is_anonymous)
        invite(survey, partner)
    gate, said = threading.Barrier(20), []

    def press(survey_id, user_id):
        with app.app_context():
            try:
                gate.wait(timeout=120)
                with transaction() as session:
                    here, user = session.get(Survey, survey_id), session.get(User, user_id)
                    given, _wrong = service.check(here.questions, fields(here))
                    service.respond(here, user, given)
                said.append("stored")
            except service.AlreadyAnswered:
                said.append("already")
            except Exception as error:
                said.append(repr(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press, args=(survey.id, partner.id)) for _n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    db.session.rollback()
    assert sorted(said) == ["already"] * 19 + ["stored"]
    assert (count(Response), count(Answer)) == (1, 3)


def test_a_stranger_has_no_survey(browse, other_partner, survey):
    assert browse(other_partner).post(f"/surveys/{survey.id}", data=fields(survey)).status_code == 404
    assert count(Response) == 0


@pytest.mark.parametrize("open_days", [(1, 7), (-7, -1)])
def test_before_and_after_its_time_nothing_is_taken(browse, partner, open_days):
    with transaction():
        survey = make_survey(open_days=open_days)
        invite(survey, partner)
    browser = browse(partner)
    assert "This survey is not open" in browser.get(f"/surveys/{survey.id}").text
    assert browser.post(f"/surveys/{survey.id}", data=fields(survey)).status_code == 409
    assert count(Response) == 0
    assert service.open_for(partner) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": ""}, {"scale": "11"}, {"scale": "-1"}, {"scale": "²"}, {"scale": "nine"}, {"single": "2"},
        {"single": "1e3"}, {"text": "x" * 4001},
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_the_rest_kept(browse, partner, survey, wrong):
    answer = browse(partner).post(
        f"/surveys/{survey.id}", data=fields(survey, **{"text": "Kept words"} | wrong)
    )
    assert answer.status_code == 422
    assert "1 question needs another look" in answer.text
    assert ("Kept words" in answer.text) == ("text" not in wrong)
    assert count(Response) == 0


def test_what_is_optional_may_stay_empty(browse, partner, survey):
    assert browse(partner).post(f"/surveys/{survey.id}", data=fields(survey, text=" ")).status_code == 303
    assert count(Answer) == 2


def test_the_form_speaks_the_readers_language(browse, partner, survey):
    with transaction():
        partner.locale = "pl"
    assert "Jak minęła jesień?" in browse(partner).get("/surveys/").text


# --- Anonymity -------------------------------------------------------------


@pytest.fixture
def anonymous(app):
    """An anonymous survey, its people, and the number each of them gave."""
    with transaction():
        survey = make_survey(is_anonymous=True, kinds=(QuestionKind.SCALE,))
        people = [make_user() for _n in range(8)]
        invite(survey, *people)
    start = clock.now().replace(hour=10)
    for minute, user in enumerate(people):
        with clock.frozen(start + timedelta(minutes=minute)), transaction():
            given, _wrong = service.check(survey.questions, fields(survey, scale=str(minute)))
            service.respond(survey, user, given)
    return survey, people


def test_no_column_of_an_anonymous_response_leads_to_a_person_or_a_moment(anonymous):
    for response in db.session.scalars(select(Response)):
        assert (response.invitation_id, response.at) == (None, None)
    links = {
        key.column.table.name
        for table in (Response.__table__, Answer.__table__)
        for key in table.foreign_keys
    }
    assert "user" not in links
    assert {column.name for column in Answer.__table__.columns} == {
        "response_id",
        "question_id",
        "number",
        "text",
    }


def test_the_order_of_taking_part_is_not_the_order_of_the_answers(anonymous):
    _survey, people = anonymous
    days = set(db.session.scalars(select(Invitation.responded_at)))
    assert len(days) == 1  # the day only, the same for all
    assert next(iter(days)).strftime("%H:%M:%S.%f") == "00:00:00.000000"
    # Ids are random, and on SQLite the rows lie in their order: nothing counts upwards as answers arrive.
    ids = list(db.session.scalars(select(Response.id)))
    assert all(len(id) == 32 for id in ids)
    for model in (Response, Answer):
        assert model.__table__.dialect_options["sqlite"]["with_rowid"] is False
    assert len(people) == len(ids)


def test_who_took_part_is_known_all_the_same(anonymous):
    survey, people = anonymous
    with pytest.raises(service.AlreadyAnswered), transaction():
        service.respond(survey, people[0], [])
    assert service.open_for(people[0]) == []
    assert [each.survey_id for each in service.answered_by(people[0])] == [survey.id]
