"""Courses made and changed in the hub: nothing is lost, partners see what is ready, files say the same."""

import pytest
from sqlalchemy import select

from hub.core.database import db, transaction
from hub.core.i18n import speaking
from hub.training import content, courses, shelf, writing
from hub.training.models import Certificate, Course, CourseText, Lesson, LessonText
from hub.training.writing import mark

from .factories import QUIZ, make_course

AT = "/training/manage/courses/first-steps/en"
QUESTION = {
    "text": "Where?",
    "options-0": "",
    "options-1": "Here",
    "options-2": "There",
    "why": "It is near.",
}


@pytest.fixture
def browser(browse, manager):
    return browse(manager)


@pytest.fixture
def course(app):
    with transaction():
        return make_course(locales=("en", "pl"), lessons=("one", "two", "three"))


def seen_in(page):
    return page.partition('name="seen"')[2].partition('value="')[2].partition('"')[0]


def keys(locale="en"):
    lessons = select(Lesson.key).join(LessonText, LessonText.lesson_id == Lesson.id)
    return list(
        db.session.scalars(lessons.where(LessonText.locale == locale).order_by(LessonText.order, Lesson.id))
    )


def quiz():
    return db.session.scalar(select(CourseText.quiz).where(CourseText.locale == "en"))


def post(browser, url, expected=303, /, **data):
    answer = browser.post(url, data=data)
    assert answer.status_code == expected
    db.session.rollback()
    db.session.expire_all()
    return answer.text


def test_a_course_written_in_the_hub_reaches_partners_once_it_is_published(browser, browse, partner, app):
    assert "No courses yet" in browser.get("/training/manage/courses").text
    about = {"title": "Пишем обзор", "summary": "Коротко.", "minutes": "20", "body": "Привет."}
    post(browser, "/training/manage/courses", language="ru", **about)
    at = "/training/manage/courses/pishem-obzor/ru"
    post(browser, f"{at}/status", status="published")
    assert "needs a lesson" in browser.get(at).text, "an empty course stays a draft"
    post(browser, f"{at}/lessons", title="Первый", minutes="5", body="## Начало")
    post(browser, f"{at}/quiz", answer="2", **QUESTION)
    preview = browser.get(f"{at}/preview").text
    assert all(each in preview for each in ("Привет", "Начало", "It is near."))
    reader, url = browse(partner), "/training/courses/pishem-obzor"
    assert (reader.get(url).status_code, "Пишем обзор" in reader.get("/training/").text) == (404, False)
    post(browser, f"{at}/status", status="published")
    assert (reader.get(url).status_code, "Пишем обзор" in reader.get("/training/").text) == (200, True)
    assert "Начало" in reader.get(f"{url}/pervyy").text


def test_a_translation_is_read_when_it_is_published(browser, partner, course):
    at = "/training/manage/courses/first-steps/uk"
    page = browser.get(f"{at}/edit").text
    assert "First steps en" in page, "the text to translate"
    about = {"title": "Перші кроки", "summary": "Коротко.", "minutes": "9", "body": ""}
    post(browser, f"{at}/edit", seen=seen_in(page), **about)
    page = browser.get(f"{at}/lessons/two").text
    post(browser, f"{at}/lessons/two", seen=seen_in(page), title="Другий", minutes="4", body="Текст")
    with speaking("uk"):
        assert courses.open_course("first-steps", partner).text.locale == "en"
    post(browser, f"{at}/status", status="published", everywhere="1")
    with speaking("uk"):
        path = courses.open_course("first-steps", partner)
        (shelved,) = courses.shelf(partner)
    assert [(step.key, step.text.title) for step in path.steps] == [("two", "Другий")]
    assert shelved.lessons == 1, "as many as there are in this language"


@pytest.mark.parametrize("what", ["edit", "lessons/one"])
def test_what_somebody_else_has_saved_is_shown_and_not_overwritten(browser, course, what):
    url = f"{AT}/{what}"
    stale = seen_in(browser.get(url).text)
    about = {"summary": "Short.", "minutes": "8"}
    post(browser, url, seen=stale, title="Theirs", body="From the colleague.", **about)
    page = post(browser, url, 409, seen=stale, title="Mine", body="From me.", **about)
    row = CourseText if what == "edit" else LessonText
    titles = select(row.title).where(row.locale == "en").order_by(row.id).limit(1)
    assert db.session.scalar(titles) == "Theirs"
    assert "From me." in page.partition("<textarea")[2], "what was typed is kept"
    assert "colleague" in page.partition('id="theirs"')[2]
    post(browser, url, seen=seen_in(page), title="Both", body="From both.", **about)
    assert db.session.scalar(titles) == "Both"


def test_lessons_move_in_every_language_and_keep_their_numbers(browser, course):
    with transaction() as session:
        session.scalars(
            select(LessonText).where(LessonText.locale == "en").order_by(LessonText.order.desc())
        ).first().order = 9
    post(browser, f"{AT}/lessons/three/move", to="up")
    assert (keys("en"), keys("pl")) == (["one", "three", "two"], ["one", "three", "two"])
    orders = select(LessonText.order).where(LessonText.locale == "en").order_by(LessonText.order)
    assert list(db.session.scalars(orders)) == [1, 2, 9]
    post(browser, f"{AT}/lessons/one/move", to="up")
    assert keys() == ["one", "three", "two"], "the first has no way up"


def test_a_removed_lesson_takes_nothing_from_those_who_read_it(browser, browse, partner, course):
    reader, url = browse(partner), "/training/courses/first-steps"
    for name in ("one", "two", "three"):
        reader.post(f"{url}/{name}")
    reader.post(f"{url}/quiz", data={"q0": "1", "q1": "0"})
    code = db.session.scalar(select(Certificate.code))
    post(browser, f"{AT}/lessons/two/drop")
    assert (keys("en"), keys("pl")) == (["one", "three"], ["one", "two", "three"])
    page = reader.get(url).text
    assert code in page
    assert "2 of 2" in page
    for name in ("one", "three"):
        post(browser, f"{AT}/lessons/{name}/drop")
    assert keys() == ["three"], "a published course keeps a lesson"
    post(browser, f"{AT}/status", status="archived", everywhere="1")
    assert reader.get(url).status_code == 404
    assert code in reader.get("/training/").text


def test_questions_are_added_changed_moved_and_removed(browser, course):
    page = post(browser, f"{AT}/quiz", 422, text="Where?", **{"options-0": "Here", "options-1": "There"})
    assert "Mark the option that is right." in page
    page = post(browser, f"{AT}/quiz", 422, answer="1", **QUESTION | {"options-2": "x" * 301})
    assert "Field cannot be longer than 300 characters." in page
    post(browser, f"{AT}/quiz", answer="2", **QUESTION)
    new = {"text": "Where?", "options": ["Here", "There"], "answer": 1, "why": "It is near."}
    assert quiz() == [*QUIZ, new]
    post(browser, f"{AT}/quiz/{mark(new)}", answer="1", **QUESTION)
    new["answer"] = 0
    post(browser, f"{AT}/quiz/{mark(new)}/move", to="up")
    assert quiz() == [QUIZ[0], new, QUIZ[1]]
    post(browser, f"{AT}/quiz/{mark(new)}/drop")
    assert quiz() == QUIZ
    page = post(browser, f"{AT}/quiz/{mark(new)}", 409, answer="1", **QUESTION)
    assert "taken it out" in page
    assert f'action="{AT}/quiz"' in page, "what was typed can be saved as a new question"
    assert quiz() == QUIZ


def test_answers_to_questions_that_changed_meanwhile_are_not_counted(browser, browse, partner, course):
    url = "/training/courses/first-steps/quiz"
    asked = mark(quiz())
    post(browser, f"{AT}/quiz/{mark(QUIZ[1])}/move", to="up")
    page = post(browse(partner), url, 409, asked=asked, q0="1", q1="0")
    assert "Nothing was counted" in page
    post(browse(partner), url, 200, asked=mark(quiz()), q0="0", q1="1")


def test_an_edited_course_goes_out_and_comes_in_the_same(browser, manager, course, tmp_path):
    def export():
        with transaction():
            content.export(tmp_path)
        return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))

    before = export()
    with transaction():
        lesson = writing.open_writing("first-steps", "en", manager).lesson("one")[0]
        lesson.body = "---\n\n- text: “a”"
    post(browser, f"{AT}/lessons/one/move", to="down")
    post(browser, f"{AT}/lessons/three/drop")
    post(browser, f"{AT}/quiz/{mark(QUIZ[0])}/drop")
    post(browser, "/training/manage/courses/first-steps/pl/status", status="archived")
    after = export()
    assert set(before) - set(after) == {
        "en/first-steps/01-one.md",
        "en/first-steps/02-two.md",
        "en/first-steps/03-three.md",
        "pl/first-steps/01-one.md",
        "pl/first-steps/02-two.md",
    }
    held = shelf.held()
    with transaction():
        assert content.sync(tmp_path).counts["unchanged"] == len(held)
    assert shelf.held() == held, "what was removed does not come back"
    with transaction() as session:
        for model in (LessonText, Lesson, CourseText, Course):
            session.query(model).delete()
        content.sync(tmp_path, force=True)
    assert shelf.held() == held, "another hub gets the same"
