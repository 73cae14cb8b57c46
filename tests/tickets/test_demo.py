"""The demo looks like a programme in steady use."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest

from hub.accounts.demo import begin
from hub.core import clock
from hub.core.database import db
from hub.demo import MOST_UNREAD, UNREAD_DAYS, _read_most
from hub.notifications.models import Notification
from hub.tickets import demo

MONTH = 30  # days


@pytest.mark.once
def test_every_month_asks_about_as_much_as_the_one_before_and_a_little_more():
    for seed in range(20):
        ages = demo._ages(random.Random(seed))
        assert ages == sorted(ages, reverse=True)
        assert 90 <= len(ages) + len(demo.BY_MAIL) <= 100
        months = [sum(n * MONTH <= age < (n + 1) * MONTH for age in ages) for n in range(13)]
        months[0] += len(demo.BY_MAIL)
        assert all(abs(now - before) <= 5 for now, before in pairwise(months)), months
        assert min(months) >= 3
        assert sum(months[:3]) > sum(months[-3:])


def test_the_bell_holds_the_last_days_and_no_more_than_one_can_read(app, agent, manager):
    cast = begin(clock.now())
    for user, each in ((agent, 0.2), (manager, 12)):
        for n in range(12):
            with cast.at(hours=n * each + 1):
                db.session.add(Notification(user_id=user.id, kind="ticket.opened", params={}, url="/x"))
                db.session.flush()
    _read_most(cast.now)
    unread = db.session.scalars(db.select(Notification).where(Notification.read_at.is_(None))).all()
    ages = {
        user: sorted(cast.now - each.created_at for each in unread if each.user_id == user.id)
        for user in (agent, manager)
    }
    assert len(ages[agent]) == MOST_UNREAD == 8
    assert max(ages[agent]) < timedelta(hours=3), "the newest"
    assert len(ages[manager]) == 6
    assert max(ages[manager]) < timedelta(days=UNREAD_DAYS)
