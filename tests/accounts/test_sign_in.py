"""The way in: alike for known and unknown, throttled, and out again."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from hub.accounts import passwords
from hub.accounts.models import Attempt, User, UserSession
from hub.core.audit import AuditEvent
from hub.core.database import db, transaction
from hub.core.settings import Settings

from .conftest import alike, is_in
from .factories import PASSWORD


def test_the_right_password_opens_and_leads_on(person, sign_in):
    browser, answer = sign_in("Nina@Example.org", path="/sign-in?next=/profile/security%23sessions")
    assert (answer.status_code, answer.location) == (303, "/profile/security#sessions")
    assert is_in(browser)


def test_signing_in_is_recorded(person, sign_in):
    sign_in(person.email)
    event = db.session.scalars(select(AuditEvent)).one()
    assert (event.actor_id, event.action, event.address) == (person.id, "user.signed_in", "127.0.0.1")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\tx",
    ],
)
def test_only_addresses_of_the_hub_are_led_to(person, sign_in, app, target):
    browser = app.test_client()
    answer = browser.post(
        "/sign-in", query_string={"next": target}, data={"email": person.email, "password": PASSWORD}
    )
    assert answer.location == "/"


def test_known_and_unknown_addresses_get_the_same_page(person, sign_in, throttled):
    _, known = sign_in(person.email, "wrong password")
    _, unknown = sign_in("nobody@example.org", "wrong password")
    assert known.status_code == unknown.status_code == 422
    assert alike(known, person.email) == alike(unknown, "nobody@example.org")


def test_what_was_typed_stays_but_the_password_does_not(person, sign_in):
    page = sign_in(person.email, "wrong password")[1].text
    assert f'value="{person.email}"' in page
    assert "wrong password" not in page


def test_an_unknown_address_costs_a_verification_too(app, sign_in, monkeypatch):
    verified = []
    real = passwords._argon2()
    spy = SimpleNamespace(verify=lambda *given: verified.append(given) or real.verify(*given))
    monkeypatch.setattr(passwords, "_argon2", lambda: spy)
    sign_in("nobody@example.org", "whatever it is")
    assert len(verified) == 1


def test_the_sixth_try_is_refused_even_with_the_right_password(person, sign_in, throttled):
    for _ in range(5):
        assert sign_in(person.email, "wrong password")[1].status_code == 422
    browser, answer = sign_in(person.email)
    assert answer.status_code == 429
    assert not is_in(browser)


def test_the_page_says_how_many_tries_are_left(person, sign_in, throttled):
    pages = [sign_in(person.email, "wrong password")[1].text for _ in range(5)]
    assert "more tries" not in pages[0]
    assert "You have 3 more tries." in pages[1]
    assert "You have one more try." in pages[3]
    assert "That was the last try" in pages[4]


def test_unknown_addresses_are_throttled_alike(app, sign_in, throttled):
    answers = [sign_in("nobody@example.org", "x")[1].status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_after_a_quarter_of_an_hour_one_may_try_again(person, sign_in, throttled, later):
    for _ in range(6):
        sign_in(person.email, "wrong password")
    with later(minutes=16):
        assert sign_in(person.email)[1].status_code == 303


def test_success_forgets_the_failures(person, sign_in, throttled):
    for _ in range(4):
        sign_in(person.email, "wrong password")
    sign_in(person.email)
    assert db.session.scalar(select(func.count()).select_from(Attempt)) == 0


def test_a_stranger_elsewhere_does_not_lock_the_owner_out(person, sign_in, app, throttled):
    stranger = {"REMOTE_ADDR": "203.0.113.9"}
    for _ in range(8):
        app.test_client().post(
            "/sign-in", data={"email": person.email, "password": "x"}, environ_base=stranger
        )
    assert sign_in(person.email)[1].status_code == 303


def test_many_addresses_together_are_stopped(person, sign_in, app, throttled):
    answers = [
        app.test_client()
        .post(
            "/sign-in",
            data={"email": person.email, "password": "x"},
            environ_base={"REMOTE_ADDR": f"203.0.113.{n}"},
        )
        .status_code
        for n in range(31)
    ]
    assert answers == [422] * 30 + [429]


def test_counted_addresses_are_not_kept_in_the_clear(sign_in, app, throttled):
    sign_in("somebody@example.org", "x")
    assert all("somebody" not in key for key in db.session.scalars(select(Attempt.key)))


def test_rate_limits_off_switches_off(person, sign_in):
    assert {sign_in(person.email, "wrong")[1].status_code for _ in range(12)} == {422}


def test_a_disabled_person_stays_out_and_is_told_only_with_the_password(person, sign_in, later):
    with transaction():
        db.session.get(User, person.id).disabled_at = person.created_at
    assert "switched off" not in sign_in(person.email, "wrong")[1].text
    browser, answer = sign_in(person.email)
    assert (answer.status_code, "switched off" in answer.text) == (422, True)
    assert not is_in(browser)


def test_someone_without_a_password_cannot_sign_in(app, sign_in, cast):
    for password in ("", "no-one-has-this-password", "None"):
        assert sign_in(cast.agent.email, password)[1].status_code == 422


def test_signing_in_gives_a_new_session_and_drops_what_was_in_the_old(person, sign_in, app):
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    sign_in(person.email, browser=browser)
    with browser.session_transaction() as cookie:
        first = cookie["_user_id"]
        assert "planted" not in cookie
    browser.post("/sign-out")
    sign_in(person.email, browser=browser)
    with browser.session_transaction() as cookie:
        assert cookie["_user_id"] != first


def test_the_cookie_holds_a_token_that_the_database_does_not(person, sign_in):
    browser, _ = sign_in(person.email)
    with browser.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert token not in list(db.session.scalars(select(UserSession.token_hash)))


def test_signing_out_ends_the_session_not_only_the_cookie(person, sign_in, app):
    browser, _ = sign_in(person.email)
    with browser.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert browser.post("/sign-out").status_code == 303
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert not is_in(thief)


def test_nobody_is_signed_out_by_a_link(person, sign_in):
    browser, _ = sign_in(person.email)
    assert browser.get("/sign-out").status_code == 405
    assert is_in(browser)


def test_a_kept_session_lives_thirty_days_after_the_last_visit(person, sign_in, later):
    browser, answer = sign_in(person.email)
    assert "Expires" in answer.headers["Set-Cookie"]
    with later(days=29):
        assert is_in(browser)
    with later(days=58):
        assert is_in(browser)
    with later(days=89):
        assert not is_in(browser)


def test_a_session_that_is_not_kept_ends_with_the_day(person, sign_in, later, app):
    browser = app.test_client()
    answer = browser.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert "Expires" not in answer.headers["Set-Cookie"]
    with later(hours=11):
        assert is_in(browser)
    with later(hours=24):
        assert not is_in(browser)


def test_a_password_hashed_with_old_parameters_is_hashed_anew(person, sign_in):
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    with transaction():
        db.session.get(User, person.id).password_hash = old
    sign_in(person.email)
    db.session.expire_all()
    assert db.session.get(User, person.id).password_hash != old
    assert sign_in(person.email)[1].status_code == 303


def test_the_demo_password_opens_nothing_in_production(app, monkeypatch):
    digest = passwords.digest(passwords.DEMO_PASSWORD)
    assert passwords.is_right(digest, passwords.DEMO_PASSWORD)
    production = Settings(env="production", secret_key="x" * 40, home=app.extensions["hub.settings"].home)
    monkeypatch.setitem(app.extensions, "hub.settings", production)
    assert not passwords.is_right(digest, passwords.DEMO_PASSWORD)


def test_a_signed_in_person_does_not_see_the_form(person, sign_in):
    browser, _ = sign_in(person.email)
    answer = browser.get("/sign-in?next=/profile")
    assert (answer.status_code, answer.location) == (302, "/profile")
