"""Forged forms, foreign hosts and cookies: what the platform promises, seen from the sign-in page."""

import re

import pytest

from hub.app import create_app
from hub.core.database import db
from hub.core.extensions import limiter, socketio
from hub.core.live import Process
from hub.core.settings import Settings

from .factories import PASSWORD


@pytest.fixture
def forms_guarded(app):
    app.config["WTF_CSRF_ENABLED"] = True
    yield
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize("address", ["/sign-in", "/reset", "/sign-in/code"])
def test_a_form_without_its_token_is_refused(forms_guarded, client, address):
    answer = client.post(address, data={"email": "x@y.example", "password": "x"})
    assert (answer.status_code, "The form has expired" in answer.text) == (400, True)


def test_a_form_with_its_token_is_taken(forms_guarded, client, person):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)[1]
    data = {"email": person.email, "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=data).status_code == 303


def test_a_token_of_another_browser_is_refused(forms_guarded, client, app, person):
    token = re.search(r'name="csrf_token" value="([^"]+)"', app.test_client().get("/sign-in").text)[1]
    client.get("/sign-in")
    data = {"email": person.email, "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=data).status_code == 400


def test_a_bearer_header_does_not_carry_a_cookie_past_the_guard(forms_guarded, browse, person):
    answer = browse(person).post(
        "/profile", data={"name": "Forged"}, headers={"Authorization": "Bearer hub_x"}
    )
    assert answer.status_code == 400


def test_an_unknown_host_gets_400(client):
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 400


@pytest.fixture
def secure(app, tmp_path):
    """A hub behind HTTPS, throttled, with a database of its own."""
    server, middleware = socketio.server, socketio.sockio_mw
    other = create_app(
        Settings(env="test", home=tmp_path, base_url="https://hub.example"), process=Process.WEB
    )
    with other.app_context():
        db.create_all()
    yield other
    # These extensions serve the application that was made last.
    socketio.server, socketio.sockio_mw, limiter.enabled = server, middleware, False


def test_cookies_behind_https(secure):
    answer = secure.test_client().get("/sign-in", base_url="https://hub.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-hub=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_one_address_cannot_try_for_ever(secure):
    secure.config["WTF_CSRF_ENABLED"] = False
    client, answers = secure.test_client(), []
    for n in range(101):
        data = {"email": f"nobody{n}@example.org"}
        answers.append(client.post("/sign-in", data=data, base_url="https://hub.example").status_code)
    assert answers == [422] * 100 + [429]
