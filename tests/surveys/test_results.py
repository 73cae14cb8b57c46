"""What a survey found: NPS, small groups, charts, the file."""

import csv
import io

import pytest

from hub.core import i18n
from hub.core.database import db, transaction
from hub.surveys import results, service
from hub.surveys.models import QuestionKind
from tests.factories import make_user

from .factories import fields, invite, make_survey

K = QuestionKind


def answer_all(survey, given):
    """`given` is a list of (locale, fields)."""
    with transaction():
        people = [make_user() for _each in given]
        invite(survey, *people)
    for user, (locale, values) in zip(people, given, strict=True):
        with i18n.speaking(locale), transaction():
            answers, wrong = service.check(survey.questions, values)
            assert wrong == {}
            service.respond(survey, user, answers)
    db.session.expire_all()
    return people


def answered(*, is_anonymous, scores, kinds=(K.SCALE,)):
    with transaction():
        survey = make_survey(is_anonymous=is_anonymous, kinds=kinds)
    answer_all(survey, [(locale, fields(survey, scale=str(score))) for locale, score in scores])
    return survey


@pytest.mark.parametrize(
    ("counts", "score", "shown"),
    [
        ({}, None, "—"),
        ({10: 1}, 100, "+100"),
        ({0: 2}, -100, "−100"),
        ({9: 1, 6: 1}, 0, "0"),
        ({9: 1, 8: 1, 7: 1}, 33, "+33"),
        ({10: 2, 7: 1}, 67, "+67"),
        ({6: 2, 8: 1}, -67, "−67"),
        ({10: 1, 8: 7}, 13, "+13"),  # 12.5 away from zero
        ({0: 1, 8: 7}, -13, "−13"),
    ],
)
def test_nps_counts_answers_only(counts, score, shown):
    found = results.nps(counts)
    assert (found.score, found.shown) == (score, shown)


def test_a_question_nobody_answered_has_no_score(app, browse, manager):
    with transaction():
        survey = make_survey()
        invite(survey, make_user())
    found = results.of(survey)
    assert (found.invited, found.responded, found.share) == (1, 0, 0)
    assert found.questions[0].nps.shown == "—"
    assert "—" in browse(manager).get(f"/surveys/{survey.id}/results").text


def test_skipped_questions_do_not_count(app):
    with transaction():
        survey = make_survey(kinds=(K.SCALE,))
        survey.questions[0].is_required = False
    answer_all(survey, [("en", fields(survey, scale=value)) for value in ("10", "10", "", "", "0")])
    (result,) = results.of(survey).questions
    assert (result.answered, result.nps.score) == (3, 33)


def test_choices_and_words_are_counted_and_shown(app, browse, manager):
    with transaction():
        survey = make_survey()
    answer_all(
        survey,
        [
            ("en", fields(survey, single=single, text=text))
            for single, text in [("0", "Alpha"), ("1", ""), ("1", "Beta")]
        ],
    )
    _scale, choice, words = results.of(survey).questions
    assert [(bar.label, bar.count, bar.share) for bar in choice.bars] == [
        ("Banners", 1, 3333),
        ("Articles", 2, 6667),
    ]
    assert sorted(words.texts) == ["Alpha", "Beta"]
    page = browse(manager).get(f"/surveys/{survey.id}/results").text
    assert "data-chart" in page
    assert "Alpha" in page


@pytest.mark.parametrize(("people", "is_hidden"), [(0, True), (4, True), (5, False)])
def test_an_anonymous_survey_shows_nothing_below_five(app, browse, manager, people, is_hidden):
    survey = answered(is_anonymous=True, scores=[("en", 3)] * people)
    found = results.of(survey)
    assert found.is_hidden is is_hidden
    browser = browse(manager)
    assert ("Too few answers" in browser.get(f"/surveys/{survey.id}/results").text) is is_hidden
    file = browser.get(f"/surveys/{survey.id}/results.csv").data.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(file)))) == 1 + (0 if is_hidden else people)


def test_with_a_name_one_answer_is_enough(app):
    assert results.of(answered(is_anonymous=False, scores=[("en", 9)])).is_hidden is False


def test_small_groups_are_hidden_and_cannot_be_computed(app):
    scores = [("en", 9)] * 9 + [("pl", 5)] * 6 + [("uk", 1)] * 2
    (result,) = results.of(answered(is_anonymous=True, scores=scores)).questions
    shown = {group.label: group.nps and group.nps.count for group in result.groups}
    # Two Ukrainian answers alone would be the total less the rest: Polish is hidden with them.
    assert shown == {"English": 9, "Polski": None, "Українська": None}


def test_named_surveys_show_every_group(app):
    (result,) = results.of(answered(is_anonymous=False, scores=[("en", 9), ("pl", 5)])).questions
    assert {group.label: group.nps.score for group in result.groups} == {"English": 100, "Polski": -100}


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ({"a": 5, "b": 9}, set()),
        ({"a": 4, "b": 9}, {"a", "b"}),
        ({"a": 4, "b": 5, "c": 9}, {"a", "b"}),
        ({"a": 2, "b": 3, "c": 9}, {"a", "b"}),
        ({"a": 1, "b": 2, "c": 6, "d": 9}, {"a", "b", "c"}),
        ({}, set()),
    ],
)
def test_what_is_hidden_beside_the_total(sizes, hidden):
    assert results.too_small(sizes) == hidden


def test_the_file_of_an_anonymous_survey_names_nobody(app, browse, manager):
    with transaction():
        survey = make_survey(is_anonymous=True, kinds=(K.TEXT,))
    people = answer_all(survey, [("en", fields(survey, text=f"=WORDS{n}")) for n in range(6)])
    file = browse(manager).get(f"/surveys/{survey.id}/results.csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(file)))
    assert sorted(rows[1:]) == [[f"'=WORDS{n}"] for n in range(6)]
    for user in people:
        assert user.name not in file
        assert user.email not in file


def test_the_file_of_a_named_survey_has_who_and_when(app, browse, manager, partner):
    with transaction():
        survey = make_survey()
        invite(survey, partner)
    browse(partner).post(f"/surveys/{survey.id}", data=fields(survey, text="@home"))
    file = browse(manager).get(f"/surveys/{survey.id}/results.csv").data.decode("utf-8-sig")
    _head, row = csv.reader(io.StringIO(file))
    assert row[:2] == ["Pat Partner", "Acme Media"]
    assert row[3:] == ["9", "Banners", "'@home"]
