"""Webinars and lessons can be found, in their language, by whoever may learn."""

import pytest

from hub.core import fulltext, jobs
from hub.core.database import db, transaction
from hub.core.i18n import LOCALES
from hub.training import service, writing
from hub.training.models import CourseStatus, Webinar

from .factories import make_course, make_webinar
from .test_seats import as_given


@pytest.fixture
def index(app):
    for lang in LOCALES:
        fulltext.rebuild(lang)

    def index():
        jobs.run("training.index")
        jobs.run(fulltext.WRITE)

    return index


def titles(user, text, lang="en"):
    return [hit.document.title for hit in fulltext.find(user, lang, text).hits]


def test_a_webinar_is_found_by_an_inflected_word_until_it_is_cancelled(index, partner, manager):
    with transaction():
        webinar = make_webinar(
            title="Купоны для подкастов", language="ru", description="Когда **промокод** помогает."
        )
    index()
    assert titles(partner, "промокоды", "ru") == ["Купоны для подкастов"]
    with transaction():
        service.change(webinar, manager, **as_given(webinar, title="Подкасты"))
    index()
    assert titles(partner, "промокоды", "ru") == ["Подкасты"]
    with transaction():
        service.call_off(webinar, manager)
    index()
    assert titles(partner, "промокоды", "ru") == []


def test_lessons_lead_to_their_page_and_the_index_settles(index, partner):
    with transaction():
        make_course(lessons=("zebra",))
    index()
    (hit,) = fulltext.find(partner, "en", "zebra").hits
    assert hit.document.url.startswith("/training/courses/first-steps/zebra")
    db.session.rollback()
    db.session.expire_all()
    assert list(db.session.scalars(db.select(Webinar).where(Webinar.is_stale))) == []


def test_a_lesson_is_found_while_it_is_part_of_a_published_course(index, partner, manager):
    with transaction():
        make_course(lessons=("zebra", "yak"))

    def do(verb, *args, **values):
        with transaction():
            verb(writing.open_writing("first-steps", "en", manager, lock=True), *args, **values)
        index()
        return titles(partner, "zebra")

    turn = writing.set_status
    assert do(turn, manager, CourseStatus.ARCHIVED, everywhere=False) == []
    assert do(turn, manager, CourseStatus.PUBLISHED, everywhere=False) == ["Lesson zebra en"]
    assert do(writing.drop_lesson, "zebra", manager) == []


def test_visitors_find_neither(index, client, partner):
    with transaction():
        make_webinar(title="Zebra talk")
    index()
    assert titles(None, "zebra") == []
    assert titles(partner, "zebra") == ["Zebra talk"]


def test_a_rebuilt_index_holds_them_too(index, partner):
    with transaction():
        make_webinar(title="Zebra talk")
        make_course(lessons=("zebra",))
    fulltext.rebuild("en")
    assert len(titles(partner, "zebra")) == 2
