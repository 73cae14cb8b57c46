"""The second step: codes once, recovery codes once, and staff who must have it."""

import re
from datetime import timedelta

import pyotp
import pytest

from hub.accounts import second_factor, service
from hub.core import clock
from hub.core.database import db, transaction
from hub.core.settings import Switch

from .conftest import MIDNIGHT, is_in

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def at_noon():
    """A stopped clock: codes change only when a test says so."""
    with clock.frozen(MIDNIGHT):
        yield MIDNIGHT


@pytest.fixture
def guarded(at_noon, person):
    """Nina with a second factor that has just been set up, and her recovery codes."""
    with transaction():
        person.recovery = second_factor.switch_on(person, SECRET, code_at(at_noon - timedelta(seconds=30)))
    return person


def code_at(moment) -> str:
    return pyotp.TOTP(SECRET).at(moment)


def half_in(sign_in, person, **options):
    browser, answer = sign_in(person.email, **options)
    assert answer.location.startswith("/sign-in/code")
    return browser


def test_the_password_alone_does_not_open(guarded, sign_in):
    assert not is_in(half_in(sign_in, guarded))


def test_password_and_code_open_and_lead_on(guarded, sign_in, at_noon):
    browser, answer = sign_in(guarded.email, path="/sign-in?next=/profile")
    answer = browser.post(answer.location, data={"code": code_at(at_noon)})
    assert answer.location == "/profile"
    assert is_in(browser)


def test_a_code_works_once(guarded, sign_in, at_noon):
    first, second = half_in(sign_in, guarded), half_in(sign_in, guarded)
    first.post("/sign-in/code", data={"code": code_at(at_noon)})
    assert second.post("/sign-in/code", data={"code": code_at(at_noon)}).status_code == 422
    assert not is_in(second)


def test_the_code_that_set_it_up_does_not_sign_in(guarded, sign_in, at_noon):
    browser = half_in(sign_in, guarded)
    assert (
        browser.post("/sign-in/code", data={"code": code_at(at_noon - timedelta(seconds=30))}).status_code
        == 422
    )


def test_an_older_code_than_the_last_is_a_replay(guarded, sign_in, at_noon):
    with clock.frozen(at_noon + timedelta(seconds=30)):
        half_in(sign_in, guarded).post("/sign-in/code", data={"code": code_at(clock.now())})
        browser = half_in(sign_in, guarded)
        assert browser.post("/sign-in/code", data={"code": code_at(at_noon)}).status_code == 422


@pytest.mark.parametrize(("seconds", "status"), [(-60, 422), (30, 303), (60, 422)])
def test_a_clock_may_be_half_a_minute_off(guarded, sign_in, at_noon, seconds, status):
    browser = half_in(sign_in, guarded)
    code = code_at(at_noon + timedelta(seconds=seconds))
    assert browser.post("/sign-in/code", data={"code": code}).status_code == status


def test_spaces_in_a_code_do_not_matter(guarded, sign_in, at_noon):
    code = code_at(at_noon)
    answer = half_in(sign_in, guarded).post("/sign-in/code", data={"code": f" {code[:3]} {code[3:]} "})
    assert answer.status_code == 303


def test_a_recovery_code_works_once(guarded, sign_in):
    code = guarded.recovery[0]
    assert half_in(sign_in, guarded).post("/sign-in/code", data={"code": code.upper()}).status_code == 303
    assert half_in(sign_in, guarded).post("/sign-in/code", data={"code": code}).status_code == 422
    db.session.rollback()
    assert second_factor.recovery_codes_left(guarded) == 9


def test_codes_are_throttled(guarded, sign_in, throttled):
    browser = half_in(sign_in, guarded)
    answers = [browser.post("/sign-in/code", data={"code": "000000"}).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]
    assert browser.post("/sign-in/code", data={"code": guarded.recovery[0]}).status_code == 429


def test_the_second_step_waits_ten_minutes(guarded, sign_in, at_noon):
    browser = half_in(sign_in, guarded)
    with clock.frozen(at_noon + timedelta(minutes=11)):
        answer = browser.post("/sign-in/code", data={"code": code_at(clock.now())})
    assert answer.location.startswith("/sign-in?")


def test_a_new_password_ends_a_half_finished_sign_in(guarded, sign_in, at_noon):
    browser = half_in(sign_in, guarded)
    with transaction():
        service.set_password(guarded, "another lighthouse")
    browser.post("/sign-in/code", data={"code": code_at(at_noon)})
    assert not is_in(browser)


def test_setting_it_up(person, sign_in, at_noon, letters):
    browser, _ = sign_in(person.email)
    page = browser.get("/profile/second-factor")
    assert 'src="data:image/svg+xml' in page.text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1]
    assert browser.post("/profile/second-factor", data={"code": "123456"}).status_code == 422
    answer = browser.post("/profile/second-factor", data={"code": pyotp.TOTP(secret).at(at_noon)})
    codes = re.search(r"<pre[^>]*><code>(.*?)</code>", answer.text, re.DOTALL)[1].split()
    assert (answer.status_code, len(set(codes)), answer.headers["Cache-Control"]) == (200, 10, "no-store")
    assert person.totp_secret == secret
    assert letters()[-1].template == "accounts/mail/second-factor-on"
    assert codes[0] not in browser.get("/profile/security").text


def test_new_recovery_codes_replace_the_old(guarded, browse):
    browse(guarded).post("/profile/recovery-codes")
    assert second_factor.recovery_codes_left(guarded) == 10
    with transaction():
        assert not second_factor.accept(guarded, guarded.recovery[0])


def test_switching_it_off(guarded, browse, sign_in, letters):
    browse(guarded).post("/profile/second-factor/off")
    assert sign_in(guarded.email)[1].location == "/"
    assert letters()[-1].template == "accounts/mail/second-factor-off"


@pytest.fixture
def demanded(app):
    settings = app.extensions["hub.settings"]
    settings.staff_totp = Switch.ON
    yield
    settings.staff_totp = Switch.OFF


def test_staff_must_set_it_up_where_it_is_demanded(demanded, browse, agent):
    browser = browse(agent)
    for address in ("/profile", "/settings/users", "/notifications/"):
        assert browser.get(address).location == "/profile/second-factor"
    assert browser.get("/profile/second-factor").status_code == 200
    assert browser.post("/sign-out").status_code == 303


def test_partners_and_staff_who_have_it_are_left_alone(demanded, browse, partner, guarded):
    assert browse(partner).get("/profile").status_code == 200
    assert browse(guarded).get("/profile").status_code == 200
