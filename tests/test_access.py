"""The golden table: every address × every role, with the answer it must give.

Each room lists its addresses in `tests/<room>/access.csv`; `sample(cast)` in
`tests/<room>/factories.py` makes the rows that `{names}` in an address stand
for, owned by Acme, the partner's organisation. Answers: `ok` (let in: any
answer but a refusal), `login` (sent to sign in, or 401), or a status.
"""

import csv
import importlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hub.core.database import db

from . import factories
from .conftest import Rows, begin_session, empty, signed_in
from .guards.multiplying import snapshot

ROLES = ("visitor", "partner", "other", "agent", "manager", "admin")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    room: str
    endpoint: str
    method: str
    url: str
    answers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


def rows() -> list[Row]:
    found = []
    for path in sorted(HERE.glob("*/access.csv")):
        with path.open() as lines:
            for line in csv.DictReader(lines, skipinitialspace=True):
                answers = {role: line[role].strip() for role in ROLES}
                found.append(
                    Row(
                        path.parent.name,
                        line["endpoint"].strip(),
                        line["method"].strip(),
                        line["url"].strip(),
                        answers,
                    )
                )
    return found


ROWS = rows()
ROOMS = sorted({row.room for row in ROWS})
WRITES = [row for row in ROWS if row.method != "GET"]


@dataclass
class World:
    """The cast, what a room's addresses stand for, and a signed-in browser for every role."""

    names: dict[str, object]
    browsers: dict[str, FlaskClient]

    def ask(self, row: Row, role: str) -> str:
        db.session.rollback()
        return seen(self.browsers[role].open(row.url.format(**self.names), method=row.method))


@pytest.fixture
def world(app):
    """`world(room)` is a new one, in an empty database; the second of a room is a copy of the first as it was."""

    def world(room: str) -> World:
        db.session.rollback()
        db.session.expunge_all()
        if room not in BEGINNINGS:
            empty()
            BEGINNINGS[room] = beginning(room)
        else:
            empty(BEGINNINGS[room].rows)
        start = BEGINNINGS[room]
        browsers = {role: signed_in(app, token) for role, token in start.sessions.items()}
        return World(start.names, browsers | {"visitor": app.test_client()})

    return world


@dataclass(frozen=True)
class Beginning:
    """A room's world before anything was asked of it."""

    names: dict[str, object]
    sessions: dict[str, str]
    rows: Rows


BEGINNINGS: dict[str, Beginning] = {}


def beginning(room: str) -> Beginning:
    cast = factories.make_cast()
    names = sample(room, cast)
    people = {role: getattr(cast, role) for role in ROLES if role not in ("visitor", "other")}
    people["other"] = cast.other_partner
    sessions = {role: begin_session(person) for role, person in people.items()}
    return Beginning(names, sessions, snapshot(db.session))


def sample(room: str, cast) -> dict[str, object]:
    if not (HERE / room / "factories.py").exists():
        return {}
    found = importlib.import_module(f"tests.{room}.factories").sample(cast)
    db.session.commit()
    return found


def seen(answer) -> str:
    to_sign_in = answer.status_code in (302, 303) and "/sign-in" in answer.headers.get("Location", "")
    if answer.status_code == 401 or to_sign_in:
        return "login"
    if answer.status_code in (403, 404) or answer.status_code >= 500:
        return str(answer.status_code)
    return "ok"


@pytest.mark.parametrize("room", ROOMS)
def test_reading(room, world):
    """Every GET of a room in one world: reading changes nothing."""
    shared = world(room)
    wrong = []
    for row in ROWS:
        if row.room == room and row.method == "GET":
            answers = {role: shared.ask(row, role) for role in ROLES}
            wrong += [
                f"{row} as {role}: {answers[role]}" for role in ROLES if answers[role] != row.answers[role]
            ]
    assert wrong == []


@pytest.mark.parametrize("row", WRITES, ids=str)
def test_writing(row, world):
    """The refused first, in one world: a refusal changes nothing. Whoever is let in gets a world of their own."""
    refused = [role for role in ROLES if row.answers[role] != "ok"]
    shared = world(row.room)
    answers = {role: shared.ask(row, role) for role in refused}
    for nth, role in enumerate(role for role in ROLES if row.answers[role] == "ok"):
        answers[role] = (shared if nth == 0 else world(row.room)).ask(row, role)
    assert answers == row.answers


def test_every_endpoint_declares_who_may_use_it(app):
    silent = [name for name, view in app.view_functions.items() if not hasattr(view, "access")]
    assert silent == []


def test_every_address_is_in_the_table(app):
    wanted = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    listed = {(row.endpoint, row.method) for row in ROWS}
    assert sorted(wanted - listed) == [], "addresses without a row"
    assert sorted(listed - wanted) == [], "rows without an address"


@pytest.mark.parametrize("room", ROOMS)
def test_the_addresses_lead_to_their_endpoints(room, app, cast):
    known = sample(room, cast)
    for row in ROWS:
        if row.room == room:
            path = row.url.format(**known).partition("?")[0]
            endpoint, _values = app.url_map.bind("localhost").match(path, method=row.method)
            assert endpoint == row.endpoint
