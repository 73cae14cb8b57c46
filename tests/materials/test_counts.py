"""The gallery's counts are remembered, and forgotten when the library changes."""

import pytest
from sqlalchemy import event

from hub.core.database import db, transaction
from hub.materials import gallery, service
from hub.materials.gallery import Filters

from .factories import gold_asset, make_asset


@pytest.fixture
def counting(app):
    """Statements that group assets."""
    seen = []

    def note(_c, _u, statement, *_rest):
        if "GROUP BY" in statement:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_a_library_is_counted_once_for_all_who_see_the_same(cast, partner, other_partner, counting):
    make_asset(cast.manager)
    db.session.commit()
    assert gallery.facets(partner, Filters()).found == 1
    assert len(counting) == 2
    assert gallery.facets(other_partner, Filters(sort="used")).found == 1
    assert len(counting) == 2


def test_a_change_is_counted_at_once(cast, partner, manager):
    asset = make_asset(cast.manager, tags=["old"])
    db.session.commit()
    assert gallery.facets(partner, Filters()).tag == {"old": 1}
    with transaction():
        service.edit(asset, manager, {"tags": ["new"]})
    assert gallery.facets(partner, Filters()).tag == {"new": 1}
    with transaction():
        service.archive(asset, manager)
    assert gallery.facets(partner, Filters()).found == 0


def test_levels_are_counted_apart(cast, partner, other_partner):
    gold_asset(cast)
    db.session.commit()
    assert gallery.facets(partner, Filters()).found == 1
    assert gallery.facets(other_partner, Filters()).found == 0
