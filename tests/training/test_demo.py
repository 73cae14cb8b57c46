"""The demo's training and surveys also fill a hub whose partners are missing."""

import random

from sqlalchemy import func, select

from hub.accounts.demo import begin
from hub.core import clock
from hub.core.database import db, transaction
from hub.surveys import demo as surveys
from hub.surveys.models import Survey
from hub.training import demo
from hub.training.models import Webinar


def test_without_partners_there_are_webinars_and_no_surveys(app):
    with transaction():
        cast = begin(clock.now())
        demo.fill(cast, random.Random(1))
        surveys.fill(cast, random.Random(1))
    count = {model: db.session.scalar(select(func.count()).select_from(model)) for model in (Webinar, Survey)}
    assert count == {Webinar: len(demo.PAST) + len(demo.COMING), Survey: 0}
