"""The demo's knowledge base: the starter content, and what readers said of it."""

import random
from datetime import timedelta
from pathlib import Path

import yaml
from sqlalchemy import select

from ..accounts.demo import Cast
from ..accounts.models import User
from ..core.database import db
from . import community, content, feedback, service
from .models import Article, Audience, Category, Reason, Status, Translation

TALK = Path(__file__).with_name("demo_talk.yaml")
#: Those whose sign-ins people use to look around.
FEATURED = ("KRASNOVA", "WOJCIK", "BRIGHT", "SHEVCHUK")
CONTENT = Path(__file__).parents[2] / "content" / "kb"
ANSWERS = 60
#: Days from today until some articles are to be reviewed.
DUE = {"brand-rules": -3, "payouts": 12, "manager": 40}
COMING = "Payouts around the new year"
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
    _work_going_on(cast)
    _talk(cast)
    open_to_all = [each for each in articles if each.article.audience is not Audience.STAFF]
    readers = list(cast.owners.values())
    for _ in range(ANSWERS if readers else 0):
        reader = rng.choice(readers)
        mine = [each for each in open_to_all if each.locale == reader.locale]
        with cast.at(days=rng.uniform(0.2, 60)):
            if mine:
                _rate(rng, rng.choice(mine), reader)


def _work_going_on(cast: Cast) -> None:
    """What the team has on its desk: a review that is due, a translation to bring up to date, an article to come."""
    by_key = {each.key: each for each in db.session.scalars(select(Article).where(Article.key.in_(DUE)))}
    for key, days in DUE.items():
        by_key[key].review_due = (cast.now + timedelta(days=days)).date()
    manager = next(each for each in by_key["manager"].translations if each.locale == "en")
    with cast.at(days=2):
        body = f"{manager.body.rstrip()}\n\n## When your manager is away\n\nA colleague answers for them; the name stands in the conversation.\n"
        text = service.Text(manager.title, body, manager.summary, manager.slug, manager.tags)
        service.revise(manager, cast.olena, text, seen=manager.revision, why="Who answers in holidays")
    with cast.at(days=1):
        money = db.session.scalars(select(Category).where(Category.key == "money")).one()
        text = service.Text(
            COMING,
            "The last payout of the year goes out on 5 December, the first of the next on 5 January.\n",
        )
        coming = service.create(cast.tomasz, money, Audience.PARTNERS, "en", text)
        service.publish(coming, cast.now + timedelta(days=6))


def _rate(rng: random.Random, translation: Translation, reader: object) -> None:
    is_helpful = rng.random() < 0.85
    comment = COMMENTS[translation.locale] if not is_helpful and rng.random() < 0.5 else ""
    feedback.rate(translation, reader, is_helpful, None if is_helpful else rng.choice(list(Reason)), comment)


def _talk(cast: Cast) -> None:
    """Partners ask under articles; colleagues, partners and the team answer."""
    for n, thread in enumerate(yaml.safe_load(TALK.read_text(encoding="utf-8"))):
        article = select(Translation).join(Translation.article).where(Article.key == thread["article"])
        translation = db.session.scalar(article.where(Translation.locale == thread["lang"]))
        asker = _speaker(cast, thread["asks"], thread["lang"])
        if translation is None or asker is None:
            continue
        with cast.at(days=thread["days"]):
            question = community.ask(translation, asker, thread["text"], client_id=f"demo-{n}")
        for m, said in enumerate(thread["answers"], 1):
            author = _speaker(cast, said["by"], thread["lang"], asker)
            with cast.at(days=thread["days"] - m / 4):
                if author:
                    answer = community.answer(question, author, said["text"], client_id=f"demo-{n}-{m}")
                    if said.get("accepted"):
                        community.accept(answer, asker, True)


def _speaker(cast: Cast, who: str, lang: str, but: User | None = None) -> User | None:
    """A partner by code, one of the team by name, or any other partner of the language."""
    if who != "other":
        return cast.owners.get(who) or cast.staff.get(who)
    others = [user for code, user in cast.owners.items() if user.locale == lang and code not in FEATURED]
    return next((user for user in others if user is not but), None)
