"""A newsletter as a page of the hub, in its reader's language and with their own words."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from sqlalchemy import select

from ..core import i18n, markup
from ..core.database import db
from ..core.mail.compose import escape_markdown
from ..kb.service import link_of
from . import audience, blocks, cards, seen, variables
from .blocks import PERSONAL, Block, Kind, Shelf
from .letters import HIDDEN
from .models import Content, Delivery, DeliveryState, Newsletter


def words_of(user: Any, locale: str) -> dict[str, str]:
    """What the variables stand for, for someone reading in the archive; nothing for visitors and the team."""
    own = audience.recipient(user.id) if user.is_authenticated else None
    return variables.values(own.user, own.partner, locale, variables.OF_READER) if own else {}


def headline(
    newsletter: Newsletter, locale: str, words: dict[str, str], variant: str | None = None
) -> tuple[str, str]:
    """(subject, preview line) in the reader's language and with their own words; of two subjects theirs or the winner."""
    content = newsletter.content_for(locale)
    if content is None:
        return "", ""
    subject = content.subject_for(variant or newsletter.ab_winner)
    return variables.fill(subject, words), variables.fill(content.preheader, words)


def for_page(newsletter: Newsletter, locale: str, user: Any) -> tuple[Content, str, Markup] | None:
    """(text, subject, HTML) of a newsletter for the archive, in the reader's language and with their own words.

    Figures are shown to whom they were sent, as they were then; nobody else finds any.
    """
    content = newsletter.content_for(locale)
    if content is None:
        return None
    sent, variant = _as_sent(newsletter, user)
    words = words_of(user, content.locale) | sent
    safe = {name: escape_markdown(word) for name, word in words.items()}
    with i18n.speaking(content.locale, i18n.zone().key):
        body = variables.fill(_with_blocks(content.body, words), safe)
    page = markup.article(body, links=link_of)
    return content, headline(newsletter, content.locale, words, variant)[0], page.html


def variants(newsletters: Sequence[Newsletter], user: Any) -> dict[int, str | None]:
    """Of these, by id, which of two subjects this reader was sent; nothing for others."""
    numbers = [each.id for each in newsletters if each.ab_share]
    if not numbers or not user.is_authenticated:
        return {}
    sent = select(Delivery.newsletter_id, Delivery.variant).where(
        Delivery.newsletter_id.in_(numbers),
        Delivery.user_id == user.id,
        Delivery.state == DeliveryState.SENT,
    )
    return dict(iter(db.session.execute(sent)))


def _as_sent(newsletter: Newsletter, user: Any) -> tuple[dict[str, str], str | None]:
    """(words, which of two subjects) that the ledger kept for this reader; without it no block about the reader is shown, nor what is for some only; visitors see what is public."""
    keys = {block.key for content in newsletter.contents for block in blocks.of(content.body)}
    cards_ = seen.Cards(newsletter, keys)
    if not user.is_authenticated:
        return {HIDDEN: " ".join([*PERSONAL, *cards_.not_public])}, None
    own = audience.recipient(user.id)
    apart = cards_.hidden([own])[0] if own else cards_.restricted
    hidden = {HIDDEN: " ".join([*PERSONAL, *apart])}
    kept = select(Delivery.values, Delivery.variant).where(
        Delivery.newsletter_id == newsletter.id,
        Delivery.user_id == user.id,
        Delivery.state == DeliveryState.SENT,
    )
    values, variant = db.session.execute(kept.limit(1)).first() or (hidden, None)
    return values, variant


def _with_blocks(body: str, words: dict[str, str]) -> str:
    """The text with its blocks as Markdown."""
    hidden = set(words.get(HIDDEN, "").split())
    parts: list[str] = []
    for part in blocks.arrange(body):
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, Shelf):
            parts += [] if hidden.issuperset(part.keys) else [part.heading]
        elif part.key not in hidden:
            parts.append(_markdown(part))
    return "\n\n".join(parts)


def _markdown(block: Block) -> str:
    if block.kind == Kind.EARNINGS:
        return "\n".join(f"- {line}" for line in cards.figures_text().split("\n"))
    if block.kind == Kind.LEVEL:
        return f"**{cards.level_words()}**"
    card = cards.find(block)
    return cards.as_markdown(card) if card else ""
