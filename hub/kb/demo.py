"""The demo's knowledge base: the starter content, and what readers said of it."""

import random
from pathlib import Path

from sqlalchemy import select

from ..accounts.demo import Cast
from ..core.database import db
from . import content, service
from .models import Audience, Reason, Status, Translation

CONTENT = Path(__file__).parents[2] / "content" / "kb"
ANSWERS = 60
COMMENTS = {
    "en": "An example with a refund in another month would help.",
    "ru": "Не хватает примера с возвратом в другом месяце.",
    "uk": "Бракує прикладу з поверненням в іншому місяці.",
    "pl": "Przydałby się przykład ze zwrotem w innym miesiącu.",
}


def fill(cast: Cast, rng: random.Random) -> None:
    """Publish the starter articles and let partners rate them."""
    if not CONTENT.is_dir():  # an installation without the source tree
        return
    content.sync(CONTENT)
    owners = [cast.olena, cast.tomasz]
    statement = select(Translation).where(Translation.status == Status.PUBLISHED).order_by(Translation.id)
    articles = list(db.session.scalars(statement))
    for translation in articles:
        translation.published_at = translation.updated_at
        translation.article.owner_id = owners[translation.article_id % len(owners)].id
    open_to_all = [each for each in articles if each.article.audience is not Audience.STAFF]
    readers = list(cast.owners.values())
    for _ in range(ANSWERS if readers else 0):
        reader = rng.choice(readers)
        mine = [each for each in open_to_all if each.locale == reader.locale]
        if mine:
            _rate(rng, rng.choice(mine), reader)


def _rate(rng: random.Random, translation: Translation, reader: object) -> None:
    is_helpful = rng.random() < 0.85
    comment = COMMENTS[translation.locale] if not is_helpful and rng.random() < 0.5 else ""
    service.rate(translation, reader, is_helpful, None if is_helpful else rng.choice(list(Reason)), comment)
