"""One's own profile, password, browsers and tokens."""

import re

import pytest
from sqlalchemy import select

from hub.accounts import service, tokens
from hub.accounts.models import ApiToken, User, UserSession
from hub.core.audit import AuditEvent
from hub.core.database import db, transaction

from .conftest import is_in
from .factories import PASSWORD

NEW = "a lighthouse in the fog"


def fresh(user: User) -> User:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get(User, user.id)


def test_the_profile_is_saved_and_speaks_at_once(person, browse):
    browser = browse(person)
    data = {"name": " Nina  ", "locale": "ru", "time_zone": "Asia/Almaty", "theme": "dark"}
    assert browser.post("/profile", data=data).status_code == 303
    page = browser.get("/profile").text
    assert '<html lang="ru" data-bs-theme="dark">' in page
    user = fresh(person)
    assert (user.name, user.time_zone) == ("Nina", "Asia/Almaty")


def test_what_cannot_be_is_refused_beside_its_field(person, browse):
    answer = browse(person).post(
        "/profile", data={"name": "", "locale": "xx", "time_zone": "Mars", "theme": "pink"}
    )
    assert (answer.status_code, answer.text.count('aria-invalid="true"')) == (422, 4)


def test_an_address_or_role_cannot_be_slipped_in(person, browse):
    data = {
        "name": "N",
        "locale": "en",
        "time_zone": "Europe/Oslo",
        "theme": "auto",
        "role": "admin",
        "email": "x@y.example",
    }
    browse(person).post("/profile", data=data)
    assert (fresh(person).role, fresh(person).email) == (person.role, "nina@example.org")


def test_a_change_of_profile_leaves_a_trace(person, browse):
    browse(person).post(
        "/profile", data={"name": "New", "locale": "en", "time_zone": "Europe/Oslo", "theme": "auto"}
    )
    event = db.session.scalars(select(AuditEvent)).one()
    assert (event.action, event.before["name"], event.after["name"]) == (
        "user.profile_edited",
        "Nina Holm",
        "New",
    )


def test_a_new_password_needs_the_old_one(person, browse):
    answer = browse(person).post("/profile/password", data={"old": "wrong", "new": NEW})
    assert (answer.status_code, "This is not your password." in answer.text) == (422, True)


def test_a_new_password_signs_out_the_others_and_keeps_this_browser(person, browse, sign_in, letters):
    here, there = browse(person), browse(person)
    assert here.post("/profile/password", data={"old": PASSWORD, "new": NEW}).status_code == 303
    assert is_in(here)
    assert not is_in(there)
    assert sign_in(person.email)[1].status_code == 422
    assert sign_in(person.email, NEW)[1].status_code == 303
    assert letters()[-1].template == "accounts/mail/password-changed"


def test_an_easy_new_password_changes_nothing(person, browse, sign_in):
    answer = browse(person).post("/profile/password", data={"old": PASSWORD, "new": "password1"})
    assert answer.status_code == 422
    assert sign_in(person.email)[1].status_code == 303


def test_trying_out_the_old_password_is_throttled(person, browse, throttled):
    browser = browse(person)
    answers = [browser.post("/profile/password", data={"old": "x", "new": NEW}).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_the_list_of_browsers_names_them_and_marks_this_one(person, app, sign_in):
    firefox = app.test_client()
    firefox.environ_base["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    )
    sign_in(person.email, browser=firefox)
    phone = app.test_client()
    phone.environ_base["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"
    )
    sign_in(person.email, browser=phone)
    page = firefox.get("/profile/security").text
    assert "Safari, iPhone" in page
    assert re.search(r"Firefox, Windows</b>\s*<span[^>]*>this browser", page)


def test_one_browser_can_be_signed_out(person, browse):
    here, there = browse(person), browse(person)
    number = max(db.session.scalars(select(UserSession.id)))
    assert here.post(f"/profile/sessions/{number}/end").status_code == 303
    assert is_in(here)
    assert not is_in(there)


def test_all_others_can_be_signed_out(person, browse):
    here, there, elsewhere = browse(person), browse(person), browse(person)
    here.post("/profile/sessions/end-others")
    assert [is_in(browser) for browser in (here, there, elsewhere)] == [True, False, False]


def test_nobody_ends_anothers_session(person, browse, partner):
    theirs = browse(person)
    number = db.session.scalar(select(UserSession.id))
    assert browse(partner).post(f"/profile/sessions/{number}/end").status_code == 404
    assert is_in(theirs)


def test_a_token_is_shown_once_and_stored_hashed(person, browse):
    browser = browse(person)
    answer = browser.post("/profile/tokens", data={"name": "Search box"})
    secret = re.search(r"hub_[\w-]{43}", answer.text)[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert tokens.user_for_token(secret) == person
    page = browser.get("/profile/security").text
    assert "Search box" in page
    assert secret not in page
    assert secret not in db.session.scalars(select(ApiToken.token_hash)).all()


def test_a_revoked_token_opens_nothing(person, browse):
    with transaction():
        row, secret = tokens.create(person, "x")
    browse(person).post(f"/profile/tokens/{row.id}/revoke")
    assert tokens.user_for_token(secret) is None


def test_a_token_of_somebody_disabled_opens_nothing(person, admin):
    with transaction():
        _, secret = tokens.create(person, "x")
        service.disable(admin, person)
    assert tokens.user_for_token(secret) is None


def test_a_token_opens_no_page_of_accounts(person, app):
    with transaction():
        _, secret = tokens.create(person, "x")
    answer = app.test_client().get("/profile", headers={"Authorization": f"Bearer {secret}"})
    assert "/sign-in" in answer.location


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer hub_nonsense", "Basic aGk6aG8=", "Bearer ключ"]
)
def test_a_broken_token_is_nobody(app, header):
    with app.test_request_context(
        "/api/v1/x", headers={"Authorization": header.encode().decode("latin-1")}
    ) as context:
        assert tokens.load(context.request) is None


def test_the_last_visit_is_written_every_five_minutes_at_most(person, browse, later):
    browser = browse(person)
    first = fresh(person).last_seen_at
    with later(minutes=4):
        is_in(browser)
        assert fresh(person).last_seen_at == first
    with later(minutes=6):
        is_in(browser)
        assert fresh(person).last_seen_at > first
