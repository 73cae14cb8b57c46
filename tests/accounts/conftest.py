"""People who can sign in, browsers that do, and the mails they get."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.core import clock
from hub.core.access import Role
from hub.core.database import db, transaction
from hub.core.mail import MailMessage
from hub.core.settings import Switch

from .factories import PASSWORD, make_person

MIDNIGHT = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


@pytest.fixture
def person(app):
    """A manager called Nina who signs in with PASSWORD."""
    with transaction():
        return make_person(Role.MANAGER, email="nina@example.org", name="Nina Holm")


@pytest.fixture
def sign_in(app):
    """`sign_in(email, password)` is a fresh browser and the answer it got."""

    def sign_in(email, password=PASSWORD, *, browser=None, path="/sign-in", **fields):
        browser = browser or app.test_client()
        return browser, browser.post(path, data={"email": email, "password": password, "keep": "y"} | fields)

    return sign_in


@pytest.fixture
def throttled(app):
    """Throttling as in production; the limiter by address stays off, it has tests of its own."""
    settings = app.extensions["hub.settings"]
    settings.rate_limits = Switch.ON
    yield
    settings.rate_limits = Switch.OFF


@pytest.fixture
def letters(app):
    """`letters()`: every mail written so far, the newest last."""

    def letters():
        db.session.rollback()
        return list(db.session.scalars(select(MailMessage).order_by(MailMessage.id)))

    return letters


@pytest.fixture
def link_in():
    """`link_in(mail)`: the path that the mail's one-time link leads to."""

    def link_in(mail):
        return re.search(r"http://127\.0\.0\.1:8000(/(?:reset|invitation)/[\w-]+)", mail.text)[1]

    return link_in


@pytest.fixture
def later():
    """`with later(minutes=61):` the clock stands that much further."""
    return lambda **span: clock.frozen(clock.now() + timedelta(**span))


def is_in(browser) -> bool:
    """Does this browser still belong to somebody who is signed in?"""
    db.session.rollback()  # requests here share a session, which must not show the past
    db.session.expire_all()
    # Read to its end, as a server does: what follows an answer follows only then.
    return browser.get("/profile", buffered=True).status_code == 200


def alike(answer, email: str) -> str:
    """A page without what is random in it and without the address that was typed."""
    text = re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]*"', "", answer.text)
    return text.replace(email, "@")
