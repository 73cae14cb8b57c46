"""Navigation by role, and the choices a browser remembers."""

import re

import pytest
from flask import Blueprint, Flask

from hub.core import frame
from hub.core.access import Role
from hub.core.database import db


class Person:
    is_authenticated = True

    def __init__(self, role):
        self.role = role


@pytest.fixture
def rooms(monkeypatch):
    """Every entry of the navigation exists, at an address of its own name."""
    monkeypatch.setattr(frame, "link", lambda endpoint, **_values: f"/{endpoint}")
    monkeypatch.setattr(frame, "_counts", {})


def labels(app, role):
    with app.test_request_context("/"):
        user = Person(role)
        return [item.label for item in frame.items(frame.entries(user), user)]


def test_partners_see_their_rooms(app, rooms):
    assert labels(app, Role.PARTNER) == [
        "Home", "Knowledge", "Materials", "Support", "Training", "Earnings", "News", "Feedback",
    ]  # fmt: skip


def test_agents_see_what_they_may_open(app, rooms):
    assert labels(app, Role.AGENT) == ["Inbox", "Partners", "Knowledge", "Materials", "Training"]


def test_managers_see_all_but_the_settings(app, rooms):
    assert labels(app, Role.MANAGER) == [
        "Inbox", "Partners", "Knowledge", "Materials", "Newsletters", "Training", "Surveys", "Reports",
    ]  # fmt: skip


def test_admins_see_the_settings_too(app, rooms):
    assert labels(app, Role.ADMIN)[-1] == "Settings"


def test_an_entry_without_its_room_is_left_out():
    with Flask(__name__).test_request_context("/"):
        assert frame.items(frame.PARTNER, Person(Role.PARTNER)) == []


def test_counts_stand_beside_their_entry(app, rooms):
    frame.nav_count("tickets.inbox")(lambda user: 7)
    with app.test_request_context("/"):
        user = Person(Role.AGENT)
        assert [item.count for item in frame.items(frame.entries(user), user)] == [7, 0, 0, 0, 0]


def test_the_room_one_is_in_is_marked(rooms):
    app = Flask(__name__)
    bp = Blueprint("kb", __name__)
    bp.get("/kb", endpoint="show")(lambda: "")
    app.register_blueprint(bp)
    with app.test_request_context("/kb"):
        user = Person(Role.AGENT)
        shown = frame.items(frame.entries(user), user)
        assert [item.label for item in shown if item.current] == ["Knowledge"]


@pytest.mark.parametrize(
    ("path", "marked"),
    [("/settings/audit", ["Settings"]), ("/settings", ["Settings"]), ("/profile", []), ("/settings-of", [])],
)
def test_settings_are_what_lies_below_them(app, rooms, path, marked):
    with app.test_request_context(path):
        user = Person(Role.ADMIN)
        shown = frame.items(frame.entries(user), user)
        assert [item.label for item in shown if item.current] == marked


def test_a_visitor_chooses_a_language_and_comes_back(client):
    answer = client.post("/language", data={"locale": "pl", "next": "/nowhere?q=1"})
    assert (answer.status_code, answer.location) == (303, "/nowhere?q=1")
    assert '<html lang="pl"' in client.get("/nowhere").text


def test_a_person_keeps_language_and_theme(browse, partner):
    browser = browse(partner)
    browser.post("/language", data={"locale": "uk"})
    browser.post("/theme", data={"theme": "dark"})
    db.session.expire_all()
    assert (partner.locale, partner.theme) == ("uk", "dark")
    assert re.search('<html lang="uk" data-bs-theme="dark">', browser.get("/nowhere").text)


@pytest.mark.parametrize(("name", "value"), [("locale", "xx"), ("theme", "pink"), ("locale", "")])
def test_an_unknown_choice_changes_nothing(client, name, value):
    client.post("/language" if name == "locale" else "/theme", data={name: value})
    assert client.get_cookie(name) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "",
        None,
        "x",
    ],
)
def test_the_way_back_stays_inside(url):
    assert frame.local(url) == "/"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Anna Lindqvist", "AL"),
        ("Студия Краснова", "СК"),
        ("Nordlys", "N"),
        ("Jean-Luc de la Cour", "JC"),
        ("  ", "?"),
        ("«Ёлка»", "?"),
    ],
)
def test_initials(name, expected):
    assert frame.initials(name) == expected


def test_a_name_keeps_its_colour():
    assert {frame.tint(name) for name in ("Anna", "Kamil", "Олена", "Oliver", "Мария", "Erik")} <= set("abcd")
    assert frame.tint("Anna") == frame.tint("Anna")
