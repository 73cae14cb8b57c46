"""The list before sending: what is missing, and whether it can go like this."""

import re
from dataclasses import dataclass

from ..core.errors import HubError
from ..core.i18n import LOCALES, _, _l, filesize, ngettext
from . import audience, letters, variables
from .letters import Prepared
from .models import Newsletter
from .variables import used

#: Mail programs cut longer messages off, and with them the link to unsubscribe.
LARGEST = 100_000
_LINK = re.compile(r"\]\(\s*<?([^)\s>]*)")
_GOOD_LINK = re.compile(
    r"https?://[^\s/]+\.[^\s]+|https?://(localhost|127\.0\.0\.1)\S*|mailto:\S+@\S+|/(?!/)\S*|kb:\S+|#\S+|\{hub\.url\}\S*"
)


class NotReady(HubError):
    message = _l("This newsletter is not ready to be sent.")


@dataclass(frozen=True)
class Check:
    """A line of the list. `blocks`: it cannot be sent like this; neither: worth a look."""

    text: str
    is_fine: bool = True
    blocks: bool = False
    detail: str = ""


def review(newsletter: Newsletter) -> list[Check]:
    """Everything there is to check, in the order a person would."""
    if not newsletter.written:
        return [_wrong(_("Write a subject and a text in at least one language"))]
    reached = audience.count(newsletter.audience, newsletter.topic)
    prepared = {each.locale: letters.prepare(newsletter.topic, each) for each in newsletter.written}
    return [
        _someone(reached),
        *_languages(newsletter),
        _known_variables(newsletter),
        _filled_variables(newsletter, prepared),
        _links(newsletter),
        _size(prepared),
        Check(_("Plain-text part written")),
        Check(_("One-click unsubscribe is in place")),
    ]


def must_be_ready(newsletter: Newsletter) -> None:
    """Raises NotReady with what is in the way."""
    for check in review(newsletter):
        if check.blocks:
            raise NotReady(f"{check.text}. {check.detail}".strip())


def _wrong(text: str, detail: str = "") -> Check:
    return Check(text, is_fine=False, blocks=True, detail=detail)


def _someone(reached: audience.Count) -> Check:
    if not reached.people:
        return _wrong(_("Nobody would get it"), _("Choose a wider audience."))
    return Check(ngettext("%(count)s person gets it", "%(count)s people get it", reached.people))


def _languages(newsletter: Newsletter) -> list[Check]:
    """One line for each language that is read but not written."""
    readers = audience.languages(newsletter.audience, newsletter.topic)
    lines = []
    for locale in LOCALES:
        content = newsletter.content(locale)
        if content is not None and content.is_empty and (content.subject or content.body):
            lines.append(_wrong(_("%(language)s lacks a subject or a text", language=LOCALES[locale])))
        elif locale in readers and (content is None or content.is_empty):
            fallback = newsletter.content_for(locale)
            detail = ngettext(
                "%(count)s person would read it in %(language)s.",
                "%(count)s people would read it in %(language)s.",
                readers[locale],
                language=LOCALES[fallback.locale] if fallback else "",
            )
            lines.append(
                Check(
                    _("%(language)s is not written", language=LOCALES[locale]), is_fine=False, detail=detail
                )
            )
    return lines or [Check(_("Written in every language the audience reads"))]


def _known_variables(newsletter: Newsletter) -> Check:
    for content in newsletter.written:
        names = [name for name, _default in used(content.subject, content.preheader, content.body)]
        if stray := variables.unknown(names):
            return _wrong(
                _("“{%(name)s}” is not a variable", name=stray[0]),
                _("It stands in the text in %(language)s.", language=LOCALES[content.locale]),
            )
    return Check(_("Every variable is known"))


def _filled_variables(newsletter: Newsletter, prepared: dict[str, Prepared]) -> Check:
    """Look for a reader in whose mail a variable would be empty."""
    if all(default for each in prepared.values() for name, default in each.own_slots):
        return Check(_("Every variable is filled for everyone"))
    for recipient in audience.recipients(newsletter.audience, newsletter.topic):
        content = newsletter.content_for(recipient.user.locale)
        text = prepared[content.locale]  # type: ignore[union-attr]
        words = variables.values(recipient.user, recipient.partner, text.locale, text.names)
        if holes := letters.missing(text, words):
            return _wrong(
                _(
                    "“{%(name)s}” is empty for %(who)s",
                    name=holes[0],
                    who=f"{recipient.user.name} ({recipient.address})",
                ),
                _("Give it a default after a bar: {%(name)s|…}.", name=holes[0]),
            )
    return Check(_("Every variable is filled for everyone"))


def _links(newsletter: Newsletter) -> Check:
    for content in newsletter.written:
        for address in _LINK.findall(content.body):
            if not _GOOD_LINK.fullmatch(address):
                return _wrong(
                    _("A link leads nowhere: %(address)s", address=address or "()"),
                    _("It stands in the text in %(language)s.", language=LOCALES[content.locale]),
                )
    return Check(_("Every link has a full address"))


def _size(prepared: dict[str, Prepared]) -> Check:
    largest = max(each.size for each in prepared.values())
    text = _("Size: %(size)s", size=filesize(largest))
    return (
        Check(text)
        if largest < LARGEST
        else _wrong(text, _("Mail programs cut off what is longer than 100 KB."))
    )
