"""What has changed is noted with the change itself, and once."""

from sqlalchemy import event, select

from hub.core import fulltext, jobs
from hub.core.database import db, transaction
from hub.core.fulltext import LANGUAGES, changes
from hub.kb.service import INDEX
from hub.partners.models import Partner
from tests.kb.factories import make_article, make_category


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


def test_a_language_that_is_being_written_holds_up_no_other(cast, worker, agent, monkeypatch):
    """A rebuild by hand, say; what it missed is written afterwards."""
    jobs.run(fulltext.WRITE)
    with transaction() as session:
        rename(session, cast.acme, "Narwhal")
        shelf = make_category()
        for lang in ("en", "uk"):
            make_article(shelf, "Walrus", lang=lang)
    write = fulltext.engine().write

    def busy(lang, *rest):
        if lang == "en":
            raise fulltext.IndexBusy(lang)
        write(lang, *rest)

    def finders(text):
        answers = [
            fulltext.find(agent, lang, text, kinds=["partner", "article"], insist=True) for lang in LANGUAGES
        ]
        return {
            lang
            for lang, answer in zip(LANGUAGES, answers, strict=True)
            if (answer.lang, answer.total) == (lang, 1)
        }

    monkeypatch.setattr(fulltext.engine(), "write", busy)
    worker()
    assert (finders("narwhal"), finders("walrus")) == ({"ru", "uk", "pl"}, {"uk"})
    monkeypatch.undo()
    jobs.run(fulltext.WRITE)
    jobs.run(INDEX)
    assert (finders("narwhal"), finders("walrus")) == ({"en", "ru", "uk", "pl"}, {"en", "uk"})
