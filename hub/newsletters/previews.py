"""What a draft will look like: on the screen, and as a test in one's own mailbox."""

import uuid
from dataclasses import replace

from ..accounts.models import User
from ..core.i18n import _
from ..core.mail import Letter, queue_letter
from . import audience, letters, variables
from .audience import Recipient
from .checks import NotReady
from .models import Newsletter
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
