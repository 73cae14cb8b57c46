"""A page asks the database as often with 1,000 rows as with 10."""

import importlib

import pytest
from sqlalchemy import event

from hub.core.database import db
from tests.test_access import HERE, ROWS

from .multiplying import multiply, snapshot

FEW, MANY = 10, 1000
ROOMS = sorted({row.room for row in ROWS if (HERE / row.room / "factories.py").exists()})


@pytest.fixture
def names(cast):
    """Make every room's sample; return what `{…}` in its addresses stands for."""
    found = {}
    for room in ROOMS:
        found[room] = importlib.import_module(f"tests.{room}.factories").sample(cast)
        db.session.commit()  # the next sample may open a transaction, which begins with a rollback
    return found


def statements(browser, url):
    """Return the answer's status and the SQL of the second visit, when caches are warm."""
    browser.get(url).close()
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        answer = browser.get(url)
        answer.close()
        db.session.rollback()  # what the answer wrote after it had gone out is another session's
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return answer.status_code, seen


@pytest.mark.once
@pytest.mark.parametrize("role", ["partner", "agent", "admin"])
def test_pages_ask_as_often_with_many_rows_as_with_few(role, names, cast, browse):
    browser = browse(getattr(cast, role))
    urls = {
        row.endpoint: row.url.format(**names.get(row.room, {}))
        for row in ROWS
        if row.method == "GET" and row.answers[role] == "ok"
    }
    originals = snapshot(db.session)
    multiply(originals, range(1, FEW), db.session)
    db.session.commit()
    few = {endpoint: statements(browser, url) for endpoint, url in urls.items()}
    multiply(originals, range(FEW, MANY), db.session)
    db.session.commit()
    many = {endpoint: statements(browser, url) for endpoint, url in urls.items()}
    assert [url for endpoint, url in urls.items() if many[endpoint][0] in (403, 404)] == []
    grown = [
        f"{endpoint}: {len(few[endpoint][1])} → {len(many[endpoint][1])} statements, such as\n"
        + "\n".join(sorted(set(many[endpoint][1]) - set(few[endpoint][1]))[:2] or many[endpoint][1][-1:])
        for endpoint in urls
        if len(few[endpoint][1]) != len(many[endpoint][1]) or few[endpoint][0] != many[endpoint][0]
    ]
    assert not grown, "\n\n".join(grown)
