"""From a question without an answer to an article, and word to those who asked."""

from typing import Any

from sqlalchemy import delete, select

from ..accounts.models import User
from ..core import clock
from ..core.access import visible
from ..core.database import db, transaction
from ..core.errors import Invalid
from ..core.i18n import LOCALES, _, _l
from ..kb import service as articles
from ..kb.models import Audience, Category, Status, Translation
from ..notifications import kinds
from ..notifications.service import notify
from .models import Answering, Wish, plain

ANSWERED = kinds.register(
    "search_answered", _l("“%(title)s” answers what you searched for: “%(text)s”"), icon="book-2"
).name


def wish(user: User, lang: str, text: str) -> None:
    """Tell this person when there is an answer; asking twice is asking once."""
    text = plain(text)
    if lang not in LOCALES or not text:
        raise Invalid
    same = Wish.user_id == user.id, Wish.lang == lang, Wish.text == text
    if db.session.scalar(select(Wish.id).where(*same)) is None:
        db.session.add(Wish(user_id=user.id, lang=lang, text=text))


def begin(author: User, lang: str, text: str) -> Translation:
    """A draft of an article that answers a question; the same question leads to the same draft."""
    text = plain(text)
    begun = db.session.scalar(select(Answering).where(Answering.lang == lang, Answering.text == text))
    if begun:
        return begun.translation
    shelf = db.session.scalar(select(Category).order_by(Category.order, Category.id).limit(1))
    if shelf is None:
        raise Invalid(category=[_("There is no category yet to put an article in.")])
    title = text[:1].upper() + text[1:]
    why = _("Asked for in the search")
    draft = articles.create(author, shelf, Audience.PARTNERS, lang, articles.Text(title, ""), why=why)
    db.session.add(Answering(lang=lang, text=text, translation_id=draft.id))
    return draft


def tell() -> None:
    """Tell everyone who waits for an answer that has been published and that they may read."""
    due = (
        select(Answering.id)
        .join(Answering.translation)
        .where(Answering.told_at.is_(None), Translation.status == Status.PUBLISHED)
    )
    for number in list(db.session.scalars(due)):
        with transaction() as session:
            answering = session.get_one(Answering, number)
            answering.told_at = clock.now()
            _tell(answering)


def _tell(answering: Answering) -> None:
    same = Wish.lang == answering.lang, Wish.text == answering.text
    waiting = db.session.scalars(select(User).join(Wish, Wish.user_id == User.id).where(*same))
    mine = select(Translation.id).where(Translation.id == answering.translation_id)
    readers = [user for user in waiting if db.session.scalar(visible(mine, user))]
    params: dict[str, Any] = {"title": answering.translation.title, "text": answering.text}
    notify(readers, ANSWERED, params, answering.translation.path)
    told = [user.id for user in readers]
    db.session.execute(delete(Wish).where(*same, Wish.user_id.in_(told)))
