"""The list before sending: what is missing, and whether it can go like this."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..core import i18n
from ..core.errors import HubError
from ..core.i18n import LOCALES, Text, _, _l, filesize, ngettext
from ..core.settings import settings
from . import audience, blocks, cards, figures, letters, linkcheck, subscribers, trial, variables
from .letters import Prepared
from .models import Content, Newsletter, Shown
from .personal import Occasion
from .variables import used

#: Mail programs cut longer messages off, and with them the link to unsubscribe.
LARGEST = 100_000
#: Readers looked at together.
#: The page looks at so many readers; all of them are looked at when sending starts.
LOOKED_AT = 200
_LINK = re.compile(r"\]\(\s*<?([^)\s>]*)")
_GOOD_LINK = re.compile(
    r"https?://[^\s/]+\.[^\s]+|https?://(localhost|127\.0\.0\.1)\S*|mailto:\S+@\S+|/(?!/)\S*|kb:\S+|#\S+|\{hub\.url\}\S*"
)


PROBLEMS: dict[str, Text] = {
    linkcheck.PRIVATE: _l("It leads into a private network."),
    linkcheck.UNKNOWN_HOST: _l("There is no such site."),
    linkcheck.SILENT: _l("It gives no answer."),
    linkcheck.REFUSED: _l("It accepts no connection."),
}


class NotReady(HubError):
    message = _l("This newsletter is not ready to be sent.")


@dataclass(frozen=True)
class Check:
    """A line of the list. `blocks`: it cannot be sent like this; neither: worth a look."""

    text: str
    is_fine: bool = True
    blocks: bool = False
    detail: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.text}. {self.detail}".strip()


def review(newsletter: Newsletter, *, for_everyone: bool = True) -> list[Check]:
    """Everything there is to check, in the order a person would; with or without a look at every reader."""
    if not newsletter.written:
        return [_wrong(_("Write a subject and a text in at least one language"))]
    # Whom a step is for, their coming decides.
    reached = audience.Count(0, 0, 0) if newsletter.is_step else subscribers.reached(newsletter)
    prepared = {each.locale: letters.prepare(newsletter.topic, each) for each in newsletter.written}
    occasion = Occasion(newsletter, prepared)
    return [
        *([] if newsletter.is_step else [_someone(reached), *_budget(newsletter)]),
        *_languages(newsletter),
        _known_variables(newsletter),
        *(
            [_of_anyone(newsletter, occasion)]
            if newsletter.is_step
            else [_filled_variables(newsletter, occasion)]
            if for_everyone
            else []
        ),
        *_for_subscribers(newsletter, occasion),
        _blocks(newsletter),
        *([] if newsletter.is_step else _figures(newsletter, occasion)),
        _links(newsletter),
        *_answers(newsletter),
        _size(prepared),
        _plain(newsletter),
        _counting(newsletter),
        *_subjects(newsletter, reached),
        Check(_("One-click unsubscribe is in place")),
    ]


def obstacles(step: Newsletter) -> list[Check]:
    """Of that list, what may keep a step from being sent; nothing is asked that would only be worth a look."""
    if not step.written:
        return review(step)
    prepared = {each.locale: letters.prepare(step.topic, each) for each in step.written}
    occasion = Occasion(step, prepared)
    found = [
        *_unfinished(step),
        _known_variables(step),
        _of_anyone(step, occasion),
        *_for_subscribers(step, occasion),
        _blocks(step),
        _links(step),
        _size(prepared),
        *_subjects(step, audience.Count(0, 0, 0)),
    ]
    return [each for each in found if each.blocks]


def must_be_ready(newsletter: Newsletter, *, for_everyone: bool = True) -> None:
    """Raises NotReady with what is in the way."""
    for check in review(newsletter, for_everyone=for_everyone):
        if check.blocks:
            raise NotReady(check.sentence)


def _wrong(text: str, detail: str = "") -> Check:
    return Check(text, is_fine=False, blocks=True, detail=detail)


def _someone(reached: audience.Count) -> Check:
    if not reached.people:
        return _wrong(_("Nobody would get it"), _("Choose a wider audience."))
    return Check(ngettext("%(count)s person gets it", "%(count)s people get it", reached.people))


def _budget(newsletter: Newsletter) -> list[Check]:
    """Who has had their mails of the week would be left out of this one."""
    full = audience.had_enough(newsletter.audience, newsletter.topic)
    if not full:
        return []
    text = ngettext(
        "%(count)s person has had enough mails this week",
        "%(count)s people have had enough mails this week",
        full,
    )
    detail = _("They are left out if that is still so when it is sent. Service mail is not counted.")
    return [Check(text, is_fine=False, detail=detail)]


def _languages(newsletter: Newsletter) -> list[Check]:
    """One line for each language that is read but not written."""
    readers = Counter(audience.languages(newsletter.audience, newsletter.topic))
    readers.update(subscribers.languages(newsletter))
    lines = _unfinished(newsletter)
    for locale in LOCALES:
        content = newsletter.content(locale)
        if _is_unfinished(content):
            continue
        if locale in readers and (content is None or content.is_empty):
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


def _unfinished(newsletter: Newsletter) -> list[Check]:
    return [
        _wrong(_("%(language)s lacks a subject or a text", language=LOCALES[locale]))
        for locale in LOCALES
        if _is_unfinished(newsletter.content(locale))
    ]


def _is_unfinished(content: Content | None) -> bool:
    return content is not None and content.is_empty and bool(content.subject or content.body)


def _known_variables(newsletter: Newsletter) -> Check:
    for content in newsletter.written:
        texts = (content.subject, content.subject_b, content.preheader, content.body, content.plain or "")
        names = [name for name, _default in used(*texts)]
        if stray := variables.unknown(names):
            return _wrong(
                _("“{%(name)s}” is not a variable", name=stray[0]),
                _("It stands in the text in %(language)s.", language=LOCALES[content.locale]),
            )
    return Check(_("Every variable is known"))


def _blocks(newsletter: Newsletter) -> Check:
    """Does every block have something to show?"""
    for content in newsletter.written:
        with i18n.speaking(content.locale, settings.programme_timezone):
            stray = next((each for each in blocks.of(content.body) if not cards.is_there(each)), None)
        if stray is not None:
            return _wrong(
                cards.nowhere(stray),
                _("It stands in the text in %(language)s.", language=LOCALES[content.locale]),
            )
    return Check(_("Every block has something to show"))


def _figures(newsletter: Newsletter, occasion: Occasion) -> list[Check]:
    """Are the figures of the month those of closed statements that equal the ledger?"""
    if not occasion.tells_figures:
        return []
    month = newsletter.figures_month
    trouble = figures.trouble(month, audience.partner_ids(newsletter.audience, newsletter.topic))
    if trouble:
        return [_wrong(trouble, _("Figures are sent once the month is closed and equals the ledger."))]
    return [
        Check(
            _("The statements of %(month)s are closed and equal the ledger", month=i18n.format_month(month))
        )
    ]


def _for_subscribers(newsletter: Newsletter, occasion: Occasion) -> list[Check]:
    """Of subscribers no name and no organisation is known: every variable needs a default."""
    if not newsletter.to_subscribers:
        return []
    if newsletter.topic not in subscribers.PUBLIC or newsletter.shown is not Shown.PUBLIC:
        hint = _("Choose a public topic, and that everyone can read it afterwards.")
        return [_wrong(_("Only public news goes to subscribers"), hint)]
    for text in occasion.texts.values():
        if names := text.required(occasion.for_partners):
            hint = _("Give it a default after a bar: {%(name)s|…}.", name=names[0])
            return [_wrong(_("“{%(name)s}” is empty for subscribers", name=names[0]), hint)]
    number = sum(subscribers.languages(newsletter).values())
    return [Check(ngettext("%(count)s of them is a subscriber", "%(count)s of them are subscribers", number))]


def _of_anyone(newsletter: Newsletter, occasion: Occasion) -> Check:
    """Nobody looks at the readers of a step before it leaves: what may be empty needs a default, and no month is told."""
    if occasion.tells_figures or occasion.tells_levels:
        detail = _("They are of a month. Send them with the monthly update.")
        return _wrong(_("Figures and levels have no place in a sequence"), detail)
    for text in occasion.texts.values():
        for name, default in text.own_slots:
            if default is None and name in variables.MAY_BE_EMPTY:
                hint = _("Give it a default after a bar: {%(name)s|…}.", name=name)
                return _wrong(_("“{%(name)s}” may be empty", name=name), hint)
    return Check(_("Every variable is filled for everyone"))


def _filled_variables(newsletter: Newsletter, occasion: Occasion) -> Check:
    """Look for a reader in whose mail a variable would be empty, among the first ones."""
    if any(default is None for each in occasion.texts.values() for _name, default in each.own_slots):
        readers = list(audience.recipients(newsletter.audience, newsletter.topic, limit=LOOKED_AT))
        locales = [occasion.locale_of(each) for each in readers]
        if found := hole(occasion, readers, locales, occasion.values(readers, locales)):
            return found
        if len(readers) == LOOKED_AT:
            return Check(
                ngettext(
                    "Every variable is filled for the first %(count)s reader; the rest is checked at the start",
                    "Every variable is filled for the first %(count)s readers; the rest is checked at the start",
                    LOOKED_AT,
                )
            )
    return Check(_("Every variable is filled for everyone"))


def hole(
    occasion: Occasion,
    readers: Sequence[audience.Recipient],
    locales: Sequence[str],
    values: Sequence[dict[str, str]],
) -> Check | None:
    """The first of these readers for whom a variable without a default is empty."""
    for reader, locale, words in zip(readers, locales, values, strict=True):
        if holes := letters.missing(occasion.texts[locale], words):
            who = f"{reader.user.name} ({reader.address})"
            return _wrong(
                _("“{%(name)s}” is empty for %(who)s", name=holes[0], who=who),
                _("Give it a default after a bar: {%(name)s|…}.", name=holes[0]),
            )
    return None


def _links(newsletter: Newsletter) -> Check:
    for content in newsletter.written:
        for address in _LINK.findall(content.body):
            if not _GOOD_LINK.fullmatch(address):
                return _wrong(
                    _("A link leads nowhere: %(address)s", address=address or "()"),
                    _("It stands in the text in %(language)s.", language=LOCALES[content.locale]),
                )
    return Check(_("Every link has a full address"))


def _answers(newsletter: Newsletter) -> list[Check]:
    """Do the links that leave the hub answer? A server may be down for an hour: this never blocks."""
    urls = linkcheck.outside(newsletter)
    if not urls:
        return []
    known = {each.url: each for each in linkcheck.results(newsletter) if each.checked_at}
    broken = [each for each in known.values() if each.status is None or each.status >= 400]
    if broken:
        why = PROBLEMS.get(broken[0].problem or "", _("It answers %(status)s.", status=broken[0].status))
        text = _("A link does not answer: %(address)s", address=broken[0].url)
        return [Check(text, is_fine=False, detail=str(why))]
    if len(known) < len(urls):
        left = len(urls) - len(known)
        return [
            Check(
                ngettext("%(count)s link is being tried", "%(count)s links are being tried", left),
                is_fine=False,
            )
        ]
    return [Check(ngettext("%(count)s link answers", "%(count)s links answer", len(urls)))]


def _plain(newsletter: Newsletter) -> Check:
    """A plain text written by hand does not follow what is changed in the text."""
    own = [LOCALES[each.locale] for each in newsletter.written if each.plain]
    if own:
        return Check(_("Plain-text part written by hand: %(languages)s", languages=", ".join(own)))
    return Check(_("Plain-text part written"))


def _counting(newsletter: Newsletter) -> Check:
    if newsletter.tracks_clicks and newsletter.tracks_opens:
        return Check(_("Opens and followed links are counted"))
    if newsletter.tracks_clicks or newsletter.tracks_opens:
        return Check(
            _("Followed links are counted, opens are not")
            if newsletter.tracks_clicks
            else _("Opens are counted, followed links are not")
        )
    return Check(_("Neither opens nor followed links are counted"))


def _subjects(newsletter: Newsletter, reached: audience.Count) -> list[Check]:
    """Is there a second subject in every language, and are there enough people to try both on?"""
    share = newsletter.ab_share
    if not share:
        return []
    for content in newsletter.written:
        if not content.subject_b.strip() or content.subject_b == content.subject:
            language = LOCALES[content.locale]
            return [_wrong(_("The second subject is missing in %(language)s", language=language))]
    people = trial.tried(reached.people, share)
    if people < 2:
        return [
            _wrong(_("Too few people to try two subjects on"), _("Choose a larger share or one subject."))
        ]
    text = ngettext(
        "Two subjects are tried on %(count)s person", "Two subjects are tried on %(count)s people", people
    )
    return [Check(text)]


def _size(prepared: dict[str, Prepared]) -> Check:
    largest = max(each.size for each in prepared.values())
    text = _("Size: %(size)s", size=filesize(largest))
    return (
        Check(text)
        if largest < LARGEST
        else _wrong(text, _("Mail programs cut off what is longer than 100 KB."))
    )
