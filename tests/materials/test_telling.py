"""Who hears of a material that has come, and of one that ends."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core import clock
from hub.core.database import db
from hub.materials import gallery, service, taking, telling, using
from hub.materials.models import Asset, Visibility
from hub.materials.using import Site
from hub.newsletters.models import Newsletter
from hub.newsletters.seen import Cards
from hub.notifications.kinds import lines
from hub.notifications.models import Notification

from .factories import gold_asset, make_asset, make_text


def told(user) -> list[str]:
    rows = db.session.scalars(
        select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    )
    return [line.text for line in lines(rows)]


@pytest.fixture
def fresh(cast):
    """One for everyone, one for Gold (Acme), one in another language, and some that are nobody's yet."""
    make_asset(cast.manager, title="Plain", locale="en")
    gold_asset(cast)
    make_text(cast.manager, title="Polski", locale="pl")
    make_text(cast.manager, title="Draft", status="draft")
    make_text(cast.manager, title="Later", valid_from=clock.now() + timedelta(days=2))
    make_text(cast.manager, title="Team", visibility=Visibility.STAFF)
    db.session.commit()


def test_each_hears_once_of_what_they_may_see(fresh, cast):
    assert telling.tell_of_new() == 2
    assert telling.tell_of_new() == 0
    assert told(cast.partner) == ["New in Materials: “Gold only” and 1 more"]
    assert told(cast.other_partner) == ["New in Materials: “Plain”"]
    assert told(cast.manager) == []
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert telling.tell_of_new() == 2
    assert told(cast.other_partner)[1:] == ["New in Materials: “Later”"]


def test_what_may_be_used_later_is_new_then(cast):
    begins = clock.now() + timedelta(days=40)
    asset = make_text(cast.manager, title="Black Friday", valid_from=begins)
    db.session.commit()
    assert telling.tell_of_new() == 0
    with clock.frozen(begins + timedelta(hours=7)):
        assert telling.tell_of_new() == 2
        assert gallery.is_new(asset)
    assert told(cast.partner) == ["New in Materials: “Black Friday”"]
    service.edit(asset, cast.manager, {"valid_from": None})
    assert asset.released_at <= clock.now()


def test_the_database_counts_what_is_new(fresh, cast):
    ids, people = list(db.session.scalars(select(Asset.id))), [cast.partner.id, cast.other_partner.id]
    seen = telling._seen(people, ids)
    assert seen == {people[0]: ("Gold only", 2), people[1]: ("Plain", 1)}, (
        "a line for each person, not for each material"
    )


def test_killed_in_between_nobody_hears_twice_and_nobody_is_left_out(fresh, cast, monkeypatch):
    monkeypatch.setattr(telling, "BATCH", 1)
    whole = telling._tell

    def killed(users, seen, url):
        if users == [max(cast.partner.id, cast.other_partner.id)]:
            raise KeyboardInterrupt
        return whole(users, seen, url)

    monkeypatch.setattr(telling, "_tell", killed)
    with pytest.raises(KeyboardInterrupt):
        telling.tell_of_new()
    monkeypatch.setattr(telling, "_tell", whole)
    assert telling.tell_of_new() == 1
    assert [len(told(user)) for user in (cast.partner, cast.other_partner)] == [1, 1]


def test_who_uses_it_hears_a_week_before_it_ends(cast, partner, other_partner):
    end = clock.now() + timedelta(days=10)
    asset = make_asset(cast.manager, title="Spring", valid_until=end)
    quiet = make_asset(cast.manager, title="Unused", valid_until=end)
    taking.favour(asset, partner)
    taking.record_downloads([(asset.current.id, asset.id)], cast.manager)
    db.session.commit()
    assert telling.tell_of_ending() == 0
    with clock.frozen(clock.now() + timedelta(days=5)):
        assert telling.tell_of_ending() == 1
        assert telling.tell_of_ending() == 0
        assert "“Spring” may be used until" in told(partner)[0]
        service.edit(asset, cast.manager, {"valid_until": end + timedelta(days=1)})
        db.session.commit()
        assert telling.tell_of_ending() == 1, "another last day is news"
    assert told(other_partner) == told(cast.manager) == []
    assert quiet.ending_told_at is not None


def test_whose_site_shows_it_hears_that_it_ends(cast, partner, other_partner):
    asset = make_asset(cast.manager, title="Spring", valid_until=clock.now() + timedelta(days=5))
    using.place("views", Counter({Site(asset.id, cast.acme.id, "blog.example"): 1}))
    cards = Cards(Newsletter(skips_seen=False), [f"ending:{asset.public_id}"])
    partners = [cast.acme.id, cast.other_org.id]
    assert cards._used(partners) == {cast.acme.id: {f"ending:{asset.public_id}"}}
    db.session.commit()
    assert telling.tell_of_ending() == 1
    assert ["Spring" in "".join(told(each)) for each in (partner, other_partner)] == [True, False]
