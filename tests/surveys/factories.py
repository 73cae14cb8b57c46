"""Surveys and ideas for the tests of this room."""

from datetime import timedelta

from hub.core import clock
from hub.core.database import db
from hub.surveys.models import Idea, Invitation, Question, QuestionKind, Survey, SurveyStatus

K = QuestionKind


def make_survey(*, kinds=(K.SCALE, K.SINGLE, K.TEXT), open_days=(-1, 7), **values) -> Survey:
    now = clock.now()
    defaults = {
        "titles": {"en": "How was the autumn?", "pl": "Jak minęła jesień?"},
        "intros": {"en": "Three questions."},
        "opens_at": now + timedelta(days=open_days[0]),
        "closes_at": now + timedelta(days=open_days[1]),
        "status": SurveyStatus.PUBLISHED,
        "invited_at": now,
    }
    survey = Survey(**(defaults | values))
    db.session.add(survey)
    db.session.flush()
    for order, kind in enumerate(kinds, 1):
        options = [{"en": "Banners"}, {"en": "Articles"}] if kind is K.SINGLE else []
        db.session.add(
            Question(
                survey_id=survey.id,
                order=order,
                kind=kind,
                texts={"en": f"Question about {kind}"},
                options=options,
                is_required=kind is not K.TEXT,
            )
        )
    db.session.flush()
    return survey


def invite(survey, *users):
    rows = [Invitation(survey_id=survey.id, user_id=user.id) for user in users]
    db.session.add_all(rows)
    db.session.flush()
    return rows


def fields(survey, scale="9", single="0", text="More banners"):
    """What the form would send."""
    by_kind = {K.SCALE: scale, K.SINGLE: single, K.TEXT: text}
    return {f"q{question.id}": by_kind[question.kind] for question in survey.questions}


def make_idea(user, title="Banners for Telegram", **values) -> Idea:
    idea = Idea(title=title, user_id=user.id, **values)
    db.session.add(idea)
    db.session.flush()
    return idea


def sample(cast):
    """What `{…}` stands for in access.csv."""
    survey, draft = make_survey(), make_survey(status=SurveyStatus.DRAFT, invited_at=None)
    invite(survey, cast.partner)
    return {
        "survey": survey.id,
        "draft": draft.id,
        "question": draft.questions[0].id,
        "second": draft.questions[1].id,
        "idea": make_idea(cast.partner).id,
    }
