"""Courses: from files to lessons, progress in any language, the quiz, the certificate."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.core.database import db, transaction
from hub.core.i18n import LOCALES, speaking
from hub.training import content, courses, service
from hub.training.models import Certificate, Course, CourseText, Lesson, LessonText, QuizResult

from .factories import make_course

OURS = Path(__file__).parents[2] / "content" / "training"


@pytest.fixture
def folder(tmp_path):
    """A copy of the starter content that a test may spoil."""
    shutil.copytree(OURS, tmp_path / "training")
    return tmp_path / "training"


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def sync(folder):
    with transaction():
        return service.sync(folder)


def test_the_starter_course_comes_in_every_language(app):
    assert sync(OURS).counts == {"created": 28, "revised": 0, "unchanged": 0, "conflicts": 0}
    assert (count(Course), count(Lesson)) == (1, 5)
    texts = list(db.session.scalars(select(CourseText)))
    assert {text.locale for text in texts} == set(LOCALES)
    assert all(len(text.quiz) == 5 and text.title and text.minutes for text in texts)
    assert count(LessonText) == 20


def test_syncing_again_changes_nothing(app):
    sync(OURS)
    assert sync(OURS).counts == {"created": 0, "revised": 0, "unchanged": 28, "conflicts": 0}
    assert count(LessonText) == 20


def test_an_edited_renumbered_or_removed_lesson_follows_and_progress_stays(app, folder, partner):
    sync(folder)
    with transaction():
        course = courses.open_course("basics", partner)
        courses.finish(course.steps[1], partner)
    basics = folder / "en" / "basics"
    (basics / "02-your-link.md").rename(basics / "09-your-link.md")
    first = basics / "01-how-it-works.md"
    first.write_text(first.read_text().replace("You recommend Nordbill.", "You speak of Nordbill."))
    (basics / "03-first-placement.md").unlink()
    assert len(sync(folder).revised) == 3
    db.session.expire_all()
    course = courses.open_course("basics", partner)
    assert [step.key for step in course.steps] == [
        "how-it-works",
        "reading-earnings",
        "rules-and-growth",
        "your-link",
    ]
    assert [step.is_done for step in course.steps if step.key == "your-link"] == [True]
    assert "You speak of Nordbill." in course.steps[0].text.body


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("course.md", "---\ntitle: A\nminutes: 3\n---\nHello", "summary"),
        ("course.md", "---\ntitle: [\n---\n", "course.md"),
        ("01-how-it-works.md", "No front matter", "title"),
        ("01-how-it-works.md", "---\ntitle: A\nminutes: many\n---\n", "minutes"),
        ("quiz.yaml", "questions: []", "list"),
        ("quiz.yaml", "- {text: A, options: [x], answer: 0, why: b}", "question 1"),
        ("quiz.yaml", "- {text: A, options: [x, y], answer: 2, why: b}", "question 1"),
        ("quiz.yaml", "- {text: A, options: [x, y], why: b}", "question 1"),
        ("lesson.md", "---\ntitle: A\nminutes: 1\n---\n", "01-name.md"),
        ("09-your-link.md", "---\ntitle: A\nminutes: 1\n---\n", "02-your-link.md"),
        ("course.md", "---\ntitle: A\nsummary: B\nminutes: 3\nstatus: gone\n---\n", "archived"),
    ],
)
def test_a_wrong_file_is_named_and_nothing_is_changed(app, folder, name, text, said):
    (folder / "ru" / "basics" / name).write_text(text)
    with pytest.raises(content.BrokenContent) as refused:
        sync(folder)
    assert said in str(refused.value.message)
    assert name in str(refused.value.message)
    assert count(Course) == 0


def edit(title="Edited: “here”", body="New\n\n- text\n"):
    """Change the first English lesson in the hub."""
    with transaction():
        text = db.session.scalars(
            select(LessonText).join(Lesson).where(Lesson.key == "how-it-works", LessonText.locale == "en")
        ).one()
        text.title, text.body = title, body


def test_an_edit_in_the_hub_comes_out_and_goes_in_again_the_same(app, folder):
    sync(folder)
    edit()
    path = folder / "en" / "basics" / "01-how-it-works.md"
    with transaction():
        assert content.export(folder) == [path], "all others keep their bytes"
    assert path.read_text() == "---\norder: 1\ntitle: 'Edited: “here”'\nminutes: 4\n---\n\nNew\n\n- text\n"
    assert len(sync(folder).unchanged) == 28


def test_an_edit_in_the_hub_is_kept_reported_and_overwritten_only_by_force(app, folder):
    sync(folder)
    edit()
    assert sync(folder).conflicts == [], "only the hub has changed"
    path = folder / "en" / "basics" / "01-how-it-works.md"
    path.write_text(path.read_text() + "\nEdited there.\n")
    for _again in range(2):
        assert sync(folder).conflicts == [str(path)]
    body = select(LessonText.body).join(Lesson).where(Lesson.key == "how-it-works", LessonText.locale == "en")
    assert db.session.scalar(body) == "New\n\n- text\n"
    with transaction():
        assert content.sync(folder, force=True).revised == [str(path)]
    assert db.session.scalar(body).endswith("Edited there.")


def test_an_unknown_language_is_named(app, folder):
    (folder / "en").rename(folder / "xx")
    with pytest.raises(content.BrokenContent, match="xx"):
        sync(folder)


def test_a_reader_gets_their_language_or_english(partner):
    with transaction():
        make_course(locales=("en", "pl"))
    for locale, expected in (("pl", "pl"), ("uk", "en")):
        with speaking(locale):
            assert courses.open_course("first-steps", partner).text.locale == expected
            (shelved,) = courses.shelf(partner)
            assert (shelved.text.locale, shelved.lessons, shelved.done) == (expected, 2, 0)


def test_progress_in_one_language_counts_in_another(browse, partner):
    with transaction():
        make_course(locales=("en", "pl"))
    answer = browse(partner).post("/training/courses/first-steps/one")
    assert answer.location == "/training/courses/first-steps/two"
    with speaking("pl"):
        course = courses.open_course("first-steps", partner)
        assert [step.is_done for step in course.steps] == [True, False]
        assert course.next_step.key == "two"


def test_finishing_twice_is_finishing_once(partner):
    with transaction():
        make_course()
        course = courses.open_course("first-steps", partner)
        courses.finish(course.steps[0], partner)
        courses.finish(course.steps[0], partner)
    assert courses.open_course("first-steps", partner).done == 1


def test_a_lesson_is_rendered_between_its_neighbours(browse, partner):
    with transaction():
        make_course(lessons=("one", "two", "three"))
    page = browse(partner).get("/training/courses/first-steps/two").text
    assert ">About two<" in page
    assert 'href="/training/courses/first-steps/one"' in page
    assert 'action="/training/courses/first-steps/two"' in page
    assert browse(partner).get("/training/courses/first-steps/four").status_code == 404
    assert browse(partner).get("/training/courses/none").status_code == 404


def test_the_quiz_explains_after_the_answers_and_stores_the_try(browse, partner):
    with transaction():
        make_course()
    browser, url = browse(partner), "/training/courses/first-steps/quiz"
    assert "Someone has to." not in browser.get(url).text
    page = browser.post(url, data={"q0": "1", "q1": "1"}).text
    assert "1 of 2 answers are right" in page
    assert "Not passed yet" in page
    assert "Someone has to." in page
    result = db.session.scalars(select(QuizResult)).one()
    assert (result.score, result.total, result.answers) == (1, 2, [1, 1])


def test_a_question_left_out_is_pointed_at_and_nothing_is_stored(browse, partner):
    with transaction():
        make_course()
    answer = browse(partner).post("/training/courses/first-steps/quiz", data={"q0": "1"})
    assert answer.status_code == 422
    assert "1 question has no answer yet" in answer.text
    assert answer.text.count("checked") == 1
    assert count(QuizResult) == 0


@pytest.mark.parametrize("order", ["lessons first", "quiz first"])
def test_lessons_and_quiz_together_earn_a_certificate(browse, client, partner, order):
    with transaction():
        make_course()
    browser, base = browse(partner), "/training/courses/first-steps"
    steps = [
        lambda: [browser.post(f"{base}/{name}") for name in ("one", "two")],
        lambda: browser.post(f"{base}/quiz", data={"q0": "1", "q1": "0"}),
    ]
    for step in steps if order == "lessons first" else reversed(steps):
        assert count(Certificate) == 0
        step()
    browser.post(f"{base}/quiz", data={"q0": "1", "q1": "0"})
    certificate = db.session.scalars(select(Certificate)).one()
    page = client.get(f"/training/certificates/{certificate.code.lower().replace('-', '')}").text
    assert "Pat Partner" in page
    assert "First steps en" in page
    assert certificate.code in browser.get(base).text


def test_a_failed_quiz_or_a_missing_lesson_earns_nothing(browse, partner):
    with transaction():
        make_course()
    browser, base = browse(partner), "/training/courses/first-steps"
    browser.post(f"{base}/one")
    browser.post(f"{base}/quiz", data={"q0": "1", "q1": "0"})
    assert count(Certificate) == 0


def test_a_code_nobody_has_is_not_found(client, app):
    assert client.get("/training/certificates/AAAA-BBBB-CCCC").status_code == 404
    assert client.get("/training/certificates/x").status_code == 404
