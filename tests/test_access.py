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

from hub.core.database import db

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
CELLS = [(row, role) for row in ROWS for role in ROLES]


@pytest.fixture
def names(cast):
    """What `{…}` in an address stands for, by room."""

    def names(room):
        if not (HERE / room / "factories.py").exists():
            return {}
        found = importlib.import_module(f"tests.{room}.factories").sample(cast)
        db.session.commit()
        return found

    return names


def seen(answer) -> str:
    to_sign_in = answer.status_code in (302, 303) and "/sign-in" in answer.headers.get("Location", "")
    if answer.status_code == 401 or to_sign_in:
        return "login"
    if answer.status_code in (403, 404) or answer.status_code >= 500:
        return str(answer.status_code)
    return "ok"


@pytest.mark.parametrize(("row", "role"), CELLS, ids=str)
def test_answer(row, role, names, cast, browse, client):
    url = row.url.format(**names(row.room))
    who = {"visitor": None, "other": cast.other_partner}.get(role, getattr(cast, role, None))
    browser = browse(who) if who else client
    answer = browser.open(url, method=row.method)
    assert seen(answer) == row.answers[role], f"{row.method} {url} as {role}: {answer.status}"


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


def test_the_addresses_lead_to_their_endpoints(app, names):
    known = {room: names(room) for room in {row.room for row in ROWS}}
    for row in ROWS:
        path = row.url.format(**known[row.room]).partition("?")[0]
        endpoint, _values = app.url_map.bind("localhost").match(path, method=row.method)
        assert endpoint == row.endpoint
