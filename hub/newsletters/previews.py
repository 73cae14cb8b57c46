"""What a draft will look like: on the screen, and as a test in one's own mailbox."""

import uuid
from dataclasses import replace

from ..accounts.models import User
from ..core import i18n
from ..core.i18n import _
from ..core.mail import Letter, queue_letter
from ..core.settings import settings
from . import audience, blocks, cards, letters, variables
from .audience import Recipient
from .blocks import KINDS, PERSONAL, Kind
from .checks import NotReady
from .models import Content, Newsletter
from .personal import Occasion


def preview(newsletter: Newsletter, locale: str, reader: Recipient | None) -> Letter | None:
    """The mail as `reader` would get it in a language; None while nothing is written in it."""
    content = newsletter.content(locale)
    if content is None:
        return None
    prepared = letters.prepare(newsletter.topic, content)
    words = {name: f"{{{name}}}" for name in [*variables.OF_READER, *variables.OF_MONTH]}
    if reader is not None:
        words = Occasion(newsletter, {locale: prepared}).values([reader], [locale])[0]
    address, name = (reader.address, reader.user.name) if reader else ("reader@example.org", "")
    return prepared.letter(key="preview", address=address, name=name, values=words, sample=True)


def send_test(newsletter: Newsletter, locale: str, to: User) -> None:
    """Mail one language of it to `to`, filled with their name and the first recipient's organisation.

    Raises NotReady.
    """
    content = newsletter.content(locale)
    if content is None or content.is_empty:
        raise NotReady(_("Write a subject and a text in this language first."))
    if stray := variables.unknown(variables.names_of(content)):
        raise NotReady(variables.complaint(stray[0]))
    first = next(audience.recipients(newsletter.audience, newsletter.topic, limit=1), None)
    prepared = letters.prepare(newsletter.topic, content)
    words = Occasion(newsletter, {locale: prepared}).values([first], [locale])[0] if first else {}
    words |= variables.of_person(to)
    letter = prepared.letter(
        key=uuid.uuid4().hex, address=audience.normalise(to.email), name=to.name, values=words, sample=True
    )
    queue_letter(replace(letter, subject=_("Test: %(subject)s", subject=letter.subject)), "newsletters/test")


def left_out(newsletter: Newsletter, locale: str, reader: Recipient) -> list[str]:
    """What a reader does not get of it, in words."""
    content = newsletter.content(locale)
    if content is None:
        return []
    prepared = letters.prepare(newsletter.topic, content)
    hidden = (
        Occasion(newsletter, {locale: prepared}).values([reader], [locale])[0].get(letters.HIDDEN, "").split()
    )
    with i18n.speaking(locale, settings.programme_timezone):
        found = {block.key: cards.find(block) for block in blocks.of(content.body) if block.key in hidden}
    return [
        card.title if card else str(KINDS[Kind(key)][0])
        for key, card in found.items()
        if card or key in PERSONAL
    ]


def themed(html: str, is_dark: bool) -> str:
    """The mail as a mailbox in one theme shows it, whatever the theme of this browser."""
    return html.replace("(prefers-color-scheme: dark)", "all" if is_dark else "not all")


def generated_text(newsletter: Newsletter, locale: str) -> str:
    """The text part that is made from the body, with its variables as they are written, to go on from by hand."""
    content = newsletter.content(locale)
    if content is None:
        return ""
    as_written = Content(locale=locale, subject="-", preheader="", body=content.body)
    prepared = letters.prepare(newsletter.topic, as_written)
    words = {
        name: f"{{{name}|{default}}}" if default is not None else f"{{{name}}}"
        for name, default in prepared.own_slots
    }
    text = prepared.letter(
        key="preview", address="reader@example.org", name="", values=words, sample=True
    ).text
    return text.rpartition("\n-- \n")[0].strip()
