"""What the pages of writers ask for: a text with everything its editor shows."""

from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, undefer

from ...core.access import visible_or_404
from ..models import Article, Translation


def whole(id: int) -> Translation:
    """The translation with its article, that article's other texts, and the body."""
    statement = select(Translation).where(Translation.id == id).join(Translation.article)
    article = contains_eager(Translation.article)
    options = (
        article.joinedload(Article.category),
        article.selectinload(Article.translations),
        article.selectinload(Article.reader_rows),
        undefer(Translation.body),
    )
    return visible_or_404(statement.options(*options), current_user)
