"""Search finds materials by title, campaign, size and tag, and shows nobody another level's."""

from datetime import timedelta

import pytest

from hub.core import clock, fulltext
from hub.core.database import db
from hub.materials import indexing, service
from hub.materials.models import Asset

from .factories import gold_asset, make_asset, make_campaign, make_text


def found(user, text: str, lang: str = "en") -> set[str]:
    return {hit.document.title for hit in fulltext.find(user, lang, text).hits}


@pytest.fixture
def indexed(cast):
    campaign = make_campaign(cast.manager, "Black Friday")
    make_asset(cast.manager, title="Winter sale", locale="en", campaign_id=campaign.id, tags=["discount"])
    make_text(cast.manager, "Закройте месяц до обеда", title="Письмо о скидках", locale="ru")
    gold_asset(cast)
    db.session.commit()
    for lang in ("en", "ru", "uk", "pl"):
        fulltext.rebuild(lang)
    indexing.index_stale()
    return cast


@pytest.mark.parametrize("text", ["winter", "black friday", "300x250", "discounts", "banner"])
def test_found_by_title_campaign_size_tag_and_kind(indexed, text):
    assert "Winter sale" in found(indexed.partner, text)


def test_inflected_words_of_a_ready_text_are_found(indexed):
    assert found(indexed.partner, "обедом", "ru") == {"Письмо о скидках"}


def test_another_levels_asset_is_not_found(indexed):
    assert "Gold only" in found(indexed.partner, "gold")
    assert "Gold only" in found(indexed.agent, "gold")
    assert "Gold only" not in found(indexed.other_partner, "gold")


def test_archived_and_expired_assets_leave_the_index(indexed):
    asset = db.session.query(Asset).filter_by(title="Winter sale").one()
    service.edit(asset, indexed.manager, {"valid_until": clock.now() + timedelta(hours=1)})
    db.session.commit()
    indexing.index_stale()
    assert found(indexed.partner, "winter") == {"Winter sale"}
    with clock.frozen(clock.now() + timedelta(hours=2)):
        assert indexing.index_stale() == 1
        assert found(indexed.partner, "winter") == set()
    assert indexing.index_stale() == 1
    service.archive(asset, indexed.manager)
    db.session.commit()
    indexing.index_stale()
    assert found(indexed.partner, "winter") == set()


def test_nothing_changed_means_nothing_to_write(indexed):
    assert indexing.index_stale() == 0
