"""A newsletter as a page of the hub, in its reader's language and with their own words."""

from typing import Any

from markupsafe import Markup

from ..core import markup
from ..core.mail.compose import escape_markdown
from ..kb.service import link_of
from . import audience, variables
from .models import Content, Newsletter


def words_of(user: Any, locale: str) -> dict[str, str]:
    """What the variables stand for, for someone reading in the archive; nothing for visitors and the team."""
    own = audience.recipient(user.id) if user.is_authenticated else None
    return variables.values(own.user, own.partner, locale, variables.OF_READER) if own else {}


def headline(newsletter: Newsletter, locale: str, words: dict[str, str]) -> tuple[str, str]:
    """(subject, preview line) in the reader's language and with their own words."""
    content = newsletter.content_for(locale)
    if content is None:
        return "", ""
    return variables.fill(content.subject, words), variables.fill(content.preheader, words)


def for_page(newsletter: Newsletter, locale: str, user: Any) -> tuple[Content, str, Markup] | None:
    """(text, subject, HTML) of a newsletter for the archive, in the reader's language and with their own words."""
    content = newsletter.content_for(locale)
    if content is None:
        return None
    words = words_of(user, content.locale)
    body = variables.fill(content.body, {name: escape_markdown(word) for name, word in words.items()})
    page = markup.article(body, links=link_of)
    return content, headline(newsletter, content.locale, words)[0], page.html
