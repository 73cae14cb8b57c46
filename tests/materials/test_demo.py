"""The demo's materials look like a real programme's: every size, every language, used for a year."""

import io
import random

import pytest
from PIL import Image
from sqlalchemy import func, select

from hub.accounts import demo as people
from hub.core import clock
from hub.core.database import db
from hub.materials import demo
from hub.materials.demo_texts import CAMPAIGNS
from hub.materials.models import Asset, Click, Download, Kind


@pytest.fixture
def filled(cast):
    made = people.begin(clock.now())
    people.fill(made, random.Random(1))
    made.partners = {"ACME": cast.acme}
    demo.fill(made, random.Random(1))
    db.session.commit()
    return made


def test_the_demo_has_banners_texts_and_sheets_in_four_languages(filled):
    kinds = dict(db.session.execute(select(Asset.kind, func.count()).group_by(Asset.kind)).all())
    assert kinds[Kind.IMAGE] >= 30
    assert kinds[Kind.TEXT] >= 4
    assert kinds[Kind.DOCUMENT] >= 1
    assert kinds[Kind.ANIMATED] == 1
    square = db.session.scalars(
        select(Asset.locale).where(Asset.width == 300, Asset.height == 250, Asset.kind == Kind.IMAGE)
    )
    assert set(square) == {"en", "ru", "uk", "pl"}
    assert db.session.scalar(select(func.count(Download.id))) > 40
    assert db.session.scalar(select(func.count(Click.id))) > 100
    now = clock.now()
    assert all(asset.released_at <= now for asset in db.session.scalars(select(Asset)))


def test_banners_have_the_size_that_was_ordered():
    orders = [
        demo._order(key, locale, size)
        for key in CAMPAIGNS
        for locale, size in (("ru", "300x250"), ("pl", "728x90"))
    ]
    for order, data in zip(orders, demo.draw(orders), strict=True):
        assert Image.open(io.BytesIO(data)).size == (order["width"], order["height"])
