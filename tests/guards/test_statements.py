"""A page asks the database as often with 1,000 rows as with 10."""

import importlib

import pytest
from sqlalchemy import event

from hub.core import clock
from hub.core.database import db
from tests.test_access import HERE, ROWS

from .multiplying import multiply, snapshot

FEW, MANY = 10, 1000
ROOMS = sorted({row.room for row in ROWS if (HERE / row.room / "factories.py").exists()})


@pytest.fixture(autouse=True)
def standing_clock():
    """Let no five minutes pass, after which a visit is written down: a slow machine needs them."""
    with clock.frozen(clock.now()):
        yield


@pytest.fixture
def names(cast):
    """Make every room's sample; return what `{…}` in its addresses stands for."""
    found = {}
    for room in ROOMS:
        found[room] = importlib.import_module(f"tests.{room}.factories").sample(cast)
        db.session.commit()  # the next sample may open a transaction, which begins with a rollback
    return found


def statements(browser, url, headers=None):
    """Return the answer's status and the SQL of the second visit, when caches are warm."""
    browser.get(url, headers=headers).close()
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        answer = browser.get(url, headers=headers)
        answer.close()
        db.session.rollback()  # what the answer wrote after it had gone out is another session's
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return answer.status_code, seen


@pytest.mark.once
def test_pages_ask_as_often_with_many_rows_as_with_few(names, cast, browse):
    visits = list(pages(names, cast, browse))
    originals = snapshot(db.session)
    multiply(originals, range(1, FEW), db.session)
    db.session.commit()
    few = [statements(browser, url) for _page, browser, url in visits]
    multiply(originals, range(FEW, MANY), db.session)
    db.session.commit()
    many = [statements(browser, url) for _page, browser, url in visits]
    assert [
        page
        for (page, _browser, _url), (status, _sql) in zip(visits, many, strict=True)
        if status in (403, 404)
    ] == []
    grown = [
        f"{page}: {len(before)} → {len(after)} statements, such as\n"
        + "\n".join(sorted(set(after) - set(before))[:2] or after[-1:])
        for (page, _browser, _url), (status, before), (status_now, after) in zip(
            visits, few, many, strict=True
        )
        if len(before) != len(after) or status != status_now
    ]
    assert not grown, "\n\n".join(grown)


def pages(names, cast, browse):
    """Every page that a partner, an agent and an admin may open, as (what it is, their browser, its address)."""
    for role in ("partner", "agent", "admin"):
        browser = browse(getattr(cast, role))
        for row in ROWS:
            if row.method == "GET" and row.answers[role] == "ok":
                yield f"{row.endpoint} as {role}", browser, row.url.format(**names.get(row.room, {}))
