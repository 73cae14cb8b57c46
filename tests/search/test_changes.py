"""What has changed is noted with the change itself, and once."""

from sqlalchemy import event, select

from hub.core import fulltext, jobs
from hub.core.database import db, transaction
from hub.core.fulltext import changes
from hub.partners.models import Partner


def rename(session, partner, name):
    session.get_one(Partner, partner.id).name = name
    session.flush()


def noted(partner):
    return changes.pending()["partner"].get(partner.id)


def test_a_row_changed_twice_is_noted_once(cast):
    jobs.run(fulltext.WRITE)
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if "INTO search_change" in statement:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with transaction() as session:
            rename(session, cast.acme, "Acme Once")
            rename(session, cast.acme, "Acme Twice")
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(seen) == 1
    assert noted(cast.acme)


def test_a_note_that_a_savepoint_took_back_is_written_again(cast):
    jobs.run(fulltext.WRITE)
    with transaction() as session:
        taken_back = session.begin_nested()
        rename(session, cast.acme, "Acme Never")
        taken_back.rollback()
        assert session.scalar(select(changes.notes.c.id)) is None
        rename(session, cast.acme, "Acme Again")
    assert noted(cast.acme)
