"""Making a survey, asking its audience once, and ideas."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.core.errors import Invalid
from hub.notifications.models import Notification
from hub.surveys import ideas, service
from hub.surveys.models import (
    Audience,
    Idea,
    IdeaStatus,
    IdeaVote,
    Invitation,
    Question,
    Survey,
    SurveyStatus,
)
from hub.training.models import RegistrationStatus
from tests.factories import make_member
from tests.training.factories import make_registration, make_webinar

from .factories import make_idea, make_survey


def asked(survey):
    return set(db.session.scalars(select(Invitation.user_id).where(Invitation.survey_id == survey.id)))


def unpublished(**values):
    with transaction():
        return make_survey(status=SurveyStatus.DRAFT, invited_at=None, **values)


def form(**changes):
    return {
        "title_en": "Autumn", "title_uk": "Осінь", "intro_en": "Short.", "audience": "all", "webinar_id": "",
        "opens_at": "2026-11-01T09:00", "closes_at": "2036-11-15T09:00",
    } | changes  # fmt: skip


def test_a_manager_makes_publishes_and_partners_are_asked(
    browse, manager, partner, other_partner, agent, worker
):
    browser = browse(manager)
    url = browser.post("/surveys/", data=form(is_anonymous="y")).location
    assert "No questions yet" in browser.get(url).text
    survey = db.session.scalars(select(Survey)).one()
    assert survey.is_anonymous
    for data in (
        {"kind": "scale", "text_en": "How likely?", "is_required": "y"},
        {"kind": "single", "text_en": "Which?", "options_en": "One\nTwo", "options_uk": "Один\nДва"},
        {"kind": "text", "text_en": "Why?"},
    ):
        assert browser.post(f"/surveys/{survey.id}/questions", data=data).status_code == 303
    assert "One · Two" in browser.get(url).text
    assert "How likely?" in browser.get(f"/surveys/{survey.id}/preview").text
    assert browser.post(f"/surveys/{survey.id}/publish").status_code == 303
    worker()
    db.session.rollback()  # this session looks anew at what the worker wrote
    assert asked(survey) == {partner.id, other_partner.id}
    assert "A short survey for you: “Autumn”" in browse(partner).get("/notifications/").text


def test_the_audience_is_asked_once(app, partner, other_partner):
    survey = unpublished()
    with transaction():
        survey.status = SurveyStatus.PUBLISHED
    for _time in range(2):
        jobs.run("surveys.invite")
    assert asked(survey) == {partner.id, other_partner.id}
    assert db.session.scalar(select(func.count()).select_from(Notification)) == 2


def test_nobody_is_asked_before_it_opens(app, partner, other_partner, manager):
    survey = unpublished(open_days=(2, 9))
    with transaction():
        service.publish(survey, manager)
    jobs.run("surveys.invite")
    assert asked(survey) == set()
    with clock.frozen(clock.now() + timedelta(days=3)):
        jobs.run("surveys.invite")
    assert asked(survey) == {partner.id, other_partner.id}


def test_chosen_partners_only_and_only_active_people(cast, manager):
    survey = unpublished(audience=Audience.CHOSEN, partner_codes=["ACME"])
    with transaction():
        colleague = make_member(cast.acme, name="Colleague")
        make_member(cast.acme, name="Gone", disabled_at=clock.now())
        service.publish(survey, manager)
    jobs.run("surveys.invite")
    assert asked(survey) == {cast.partner.id, colleague.id}


def test_after_a_webinar_those_with_a_seat_are_asked(browse, partner, other_partner, agent, manager):
    with transaction():
        webinar = make_webinar(in_hours=1, minutes=30)
        make_registration(webinar, partner, RegistrationStatus.ATTENDED)
        make_registration(webinar, other_partner, RegistrationStatus.WAITLISTED)
        make_registration(webinar, agent, RegistrationStatus.CANCELLED)
    survey = unpublished(audience=Audience.WEBINAR, webinar_id=webinar.id)
    with transaction():
        service.publish(survey, manager)
    jobs.run("surveys.invite")
    assert asked(survey) == set()
    with clock.frozen(clock.now() + timedelta(hours=2)):
        jobs.run("surveys.invite")
        assert asked(survey) == {partner.id}
        page = browse(partner).get(f"/training/webinars/{webinar.id}").text
    assert f'href="/surveys/{survey.id}"' in page


def test_what_was_published_keeps_its_questions(browse, manager):
    with transaction():
        survey = make_survey()
    question = survey.questions[0]
    browser = browse(manager)
    assert browser.post(f"/surveys/questions/{question.id}/drop").status_code == 409
    assert (
        browser.post(
            f"/surveys/questions/{question.id}/edit", data={"kind": "text", "text_en": "X"}
        ).status_code
        == 409
    )
    browser.post(
        f"/surveys/{survey.id}/edit", data=form(title_en="Renamed", audience="chosen", partner_codes="NOBODY")
    )
    db.session.expire_all()
    assert db.session.scalar(select(func.count()).select_from(Question)) == 3
    assert (survey.title, survey.audience) == ("Renamed", Audience.ALL)


def test_a_survey_without_questions_is_not_published(browse, manager):
    survey = unpublished(kinds=())
    page = browse(manager).post(f"/surveys/{survey.id}/publish", follow_redirects=True).text
    assert "Add at least one question" in page
    db.session.expire_all()
    assert survey.is_draft


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title_en": "", "title_uk": ""}, "at least one language"),
        ({"closes_at": "2026-10-01T09:00"}, "The end comes before the beginning"),
        ({"audience": "chosen", "partner_codes": "ACME NOBODY"}, "NOBODY"),
        ({"audience": "chosen"}, "Name the partners"),
        ({"audience": "webinar"}, "Choose the webinar"),
        ({"opens_at": ""}, "opens_at-error"),
    ],
)
def test_wrong_input_is_said_and_creates_nothing(browse, manager, wrong, said):
    answer = browse(manager).post("/surveys/", data=form(**wrong))
    assert answer.status_code == 422
    assert said in answer.text
    assert db.session.scalar(select(func.count()).select_from(Survey)) == 0


def test_options_must_match_across_languages(browse, manager):
    survey = unpublished(kinds=())
    data = {"kind": "single", "text_en": "Which?", "options_en": "One\nTwo", "options_pl": "Jeden"}
    answer = browse(manager).post(f"/surveys/{survey.id}/questions", data=data)
    assert answer.status_code == 422
    assert "same number of options" in answer.text
    with pytest.raises(Invalid):
        service.options_of({"en": "One\nTwo", "pl": "Jeden"})
    assert service.options_of({"en": "One\nTwo", "pl": "Jeden\n\nDwa", "ru": ""}) == [
        {"en": "One", "pl": "Jeden"},
        {"en": "Two", "pl": "Dwa"},
    ]


def test_a_question_moves_up(browse, manager):
    survey = unpublished()
    before = [question.id for question in survey.questions]
    browse(manager).post(f"/surveys/questions/{before[2]}/lift")
    db.session.expire_all()
    assert [question.id for question in survey.questions] == [before[0], before[2], before[1]]


def test_closing_ends_it_now(browse, manager, partner):
    with transaction():
        survey = make_survey()
    browse(manager).post(f"/surveys/{survey.id}/close")
    db.session.expire_all()
    assert survey.is_closed


# --- Ideas -----------------------------------------------------------------


def votes(idea):
    db.session.expire_all()
    rows = db.session.scalar(select(func.count()).where(IdeaVote.idea_id == idea.id))
    return idea.votes, rows


def test_an_idea_is_proposed_and_voted_for_once_each(browse, partner, other_partner):
    browse(partner).post("/surveys/ideas", data={"title": "Banners for Telegram", "body": "Square ones."})
    idea = db.session.scalars(select(Idea)).one()
    assert votes(idea) == (1, 1)
    other = browse(other_partner)
    other.post(f"/surveys/ideas/{idea.id}/vote")
    assert votes(idea) == (2, 2)
    assert "Vote, 2 votes" in other.get("/surveys/ideas").text
    other.post(f"/surveys/ideas/{idea.id}/vote")
    assert votes(idea) == (1, 1)


def test_a_decision_is_shown_and_told_once(browse, partner, manager):
    with transaction():
        idea = make_idea(partner)
    browser = browse(manager)
    for _time in range(2):
        browser.post(f"/surveys/ideas/{idea.id}/decide", data={"status": "planned", "reply": "In January."})
    assert "In January." in browse(partner).get("/surveys/ideas?status=planned").text
    assert "Banners" not in browse(partner).get("/surveys/ideas?status=done").text
    assert [row.kind for row in db.session.scalars(select(Notification))] == ["idea_status"]


def test_an_idea_needs_words(browse, partner):
    answer = browse(partner).post("/surveys/ideas", data={"title": " "})
    assert answer.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(Idea)) == 0


def test_votes_lead_only_back_into_the_hub(browse, partner):
    with transaction():
        idea = make_idea(partner)
    answer = browse(partner).post(f"/surveys/ideas/{idea.id}/vote", data={"next": "//evil.example"})
    assert answer.location == f"/surveys/ideas#idea-{idea.id}"


def test_ideas_page_by_votes_without_gap_or_repeat(browse, partner):
    with transaction():
        for n in range(60):
            make_idea(partner, f"Idea {n:02d}.", votes=n % 7)
    browser, url, seen = browse(partner), "/surveys/ideas", []
    while url:
        page = browser.get(url).text
        seen += [n for n in range(60) if f"Idea {n:02d}." in page]
        url = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert sorted(seen) == list(range(60))


def test_deciding_keeps_the_state_when_only_the_words_change(partner):
    with transaction():
        idea = make_idea(partner)
        ideas.decide(idea, IdeaStatus.NEW, "We are reading.")
    assert db.session.scalars(select(Notification)).all() == []
