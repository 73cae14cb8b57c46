"""Webinars and a course for the tests of this room."""

from datetime import timedelta

from hub.core import clock
from hub.core.database import db
from hub.training.models import (
    Certificate,
    Course,
    CourseText,
    Lesson,
    LessonText,
    Registration,
    RegistrationStatus,
    Webinar,
    WebinarQuestion,
)
from hub.training.writing import mark

QUIZ = [
    {"text": "Who pays?", "options": ["Nobody", "The customer"], "answer": 1, "why": "Someone has to."},
    {"text": "When?", "options": ["On the 5th", "Never"], "answer": 0, "why": "So it is agreed."},
]


def make_webinar(*, in_hours=72.0, minutes=60, **values) -> Webinar:
    starts_at = clock.now().replace(microsecond=0) + timedelta(hours=in_hours)
    defaults = {
        "title": "What sells in December",
        "description": "Five **campaigns**.",
        "language": "en",
        "zone": "Europe/Oslo",
        "host": "Tom Host",
        "capacity": 10,
        "join_url": "https://meet.example/secret-room",
    }
    webinar = Webinar(
        starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), **(defaults | values)
    )
    db.session.add(webinar)
    db.session.flush()
    return webinar


def make_registration(webinar, user, status=RegistrationStatus.REGISTERED, **values) -> Registration:
    registration = Registration(webinar_id=webinar.id, user_id=user.id, status=status, **values)
    db.session.add(registration)
    db.session.flush()
    return registration


def make_question(webinar, user, text="Will there be slides?", **values) -> WebinarQuestion:
    question = WebinarQuestion(webinar_id=webinar.id, user_id=user.id, text=text, **values)
    db.session.add(question)
    db.session.flush()
    return question


def make_course(key="first-steps", locales=("en",), lessons=("one", "two"), quiz=QUIZ) -> Course:
    course = Course(key=key)
    db.session.add(course)
    db.session.flush()
    for locale in locales:
        db.session.add(
            CourseText(
                course_id=course.id,
                locale=locale,
                title=f"First steps {locale}",
                summary="Short.",
                body="Welcome.",
                minutes=8,
                quiz=quiz,
            )
        )
    for order, name in enumerate(lessons, 1):
        lesson = Lesson(course_id=course.id, key=name)
        db.session.add(lesson)
        db.session.flush()
        for locale in locales:
            db.session.add(
                LessonText(
                    lesson_id=lesson.id,
                    locale=locale,
                    order=order,
                    title=f"Lesson {name} {locale}",
                    body=f"## About {name}",
                    minutes=4,
                )
            )
    db.session.flush()
    return course


def sample(cast):
    """What `{…}` stands for in access.csv."""
    webinar, course = make_webinar(), make_course()
    make_registration(webinar, cast.partner)
    question = make_question(webinar, cast.partner)
    past = make_webinar(in_hours=-100, status="done", recording_url="https://video.example/1")
    certificate = Certificate(
        user_id=cast.partner.id, course_id=course.id, name="Pat", course_title="First steps", locale="en"
    )
    db.session.add(certificate)
    db.session.flush()
    return {
        "webinar": webinar.id,
        "past": past.id,
        "question": question.id,
        "course": course.key,
        "lesson": "one",
        "sign": mark(QUIZ[0]),
        "code": certificate.code,
    }
